/** What the writes of one table have come to. */
import type { Clock } from "../clock.ts";

/** Counts, and the last one that ended well. */
export class Writes {
  readonly #clock: Clock;
  #written = 0;
  #failed = 0;
  #last: { readonly at: number; readonly took: number } | undefined;
  /** Milliseconds that writes took in all. */
  #took = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
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

  /** Milliseconds that those took that made a new map, together. */
  get took(): number {
    return this.#took;
  }

  /** Counts what this write comes to, and gives or throws the same. */
  async count(write: () => Promise<"written" | "unchanged">): Promise<"written" | "unchanged"> {
    const start = this.#clock.monotonic();
    try {
      const outcome = await write();
      const took = this.#clock.monotonic() - start;
      this.#last = { at: this.#clock.now(), took };
      if (outcome === "written") {
        this.#written++;
        this.#took += took;
      }
      return outcome;
    } catch (error) {
      this.#failed++;
      throw error;
    }
  }
}
