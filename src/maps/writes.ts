/** What the writes of one table have come to. */
import type { Clock } from "../clock.ts";

/** While a table cannot be written, so many stand for the rest. */
const mostWaiting = 10_000;

/** Counts, and the last one that ended well. */
export class Writes {
  readonly #clock: Clock;
  readonly #published: (ms: number) => void;
  /** Monotonic ms: when clients came that no write has taken yet. */
  #waiting: number[] = [];
  #written = 0;
  #failed = 0;
  #last: { readonly at: number; readonly took: number } | undefined;

  /** `published` is called for each client that came, with the ms until the table had it. */
  constructor(clock: Clock, published: (ms: number) => void) {
    this.#clock = clock;
    this.#published = published;
  }

  /** A client has come that the table must have. */
  expect(): void {
    if (this.#waiting.length < mostWaiting) this.#waiting.push(this.#clock.monotonic());
  }

  /** How many made a new map. */
  get written(): number {
    return this.#written;
  }

  get failed(): number {
    return this.#failed;
  }

  /** The last one that ended well: wall clock, ms since 1970, and how many ms it took. What was right already counts. */
  get last(): { readonly at: number; readonly took: number } | undefined {
    return this.#last;
  }

  /** Counts what this write comes to, and gives or throws the same. */
  async count(write: () => Promise<"written" | "unchanged">): Promise<"written" | "unchanged"> {
    const start = this.#clock.monotonic();
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const outcome = await write();
      const took = this.#clock.monotonic() - start;
      this.#last = { at: this.#clock.now(), took };
      if (outcome === "written") this.#written++;
      for (const came of waiting) this.#published(start + took - came);
      return outcome;
    } catch (error) {
      this.#failed++;
      this.#waiting = [...waiting, ...this.#waiting].slice(0, mostWaiting);
      throw error;
    }
  }
}
