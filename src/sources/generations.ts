/** The generations of one log that are open, the oldest first, and how long each is kept. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Generation } from "./generation.ts";
import { Inode } from "./inode.ts";
import type { Past } from "./past.ts";
import { closeAll } from "./resume.ts";
import type { Tally } from "./tally.ts";

interface Parts {
  readonly clock: Clock;
  readonly tally: Tally;
  /** What is closed is remembered there. */
  readonly past: Past;
  /** Called when something happened to one of the inodes. */
  readonly hint: () => void;
  /** Called when the kernel refuses to watch an inode. */
  readonly cannotWatch: (reason: string) => void;
}

/** Writers may hold on to a rotated file: it is read on until it has not grown for so long. Milliseconds. */
const linger = 10_000;
const mostLingering = 8;

/** The last of them is the one that the log's name means, or meant last. */
export class Generations {
  readonly #parts: Parts;
  #all: readonly Generation[] = [];
  readonly #grown = new Map<Generation, number>();
  readonly #failing = new Map<Generation, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Those to read, in this order. */
  get all(): readonly Generation[] {
    return this.#all;
  }

  /** The youngest. */
  get live(): Generation | undefined {
    return this.#all.at(-1);
  }

  /** True while one of the rotated files cannot be read. */
  get fails(): boolean {
    return this.#failing.size > 0;
  }

  /** Takes over what was opened, and watches it; it is younger than what is there. */
  adopt(generations: readonly Generation[]): void {
    this.#all = [...this.#all, ...generations];
    for (const generation of generations) {
      this.grew(generation);
      try {
        if (generation instanceof Inode) generation.watch(this.#parts.hint);
      } catch (thrown) {
        this.#parts.cannotWatch(reasonOf(thrown));
      }
    }
  }

  /** Makes one that is there the youngest. */
  moveLast(generation: Generation): void {
    this.#all = [...this.#all.filter((one) => one !== generation), generation];
  }

  /** To be called when a turn of reading has found something new. */
  grew(generation: Generation): void {
    this.#grown.set(generation, this.#parts.clock.monotonic());
    this.#failing.delete(generation);
  }

  /** A rotated file cannot be read, with the reason in words: that may pass, so it is kept as long as any other. */
  failed(generation: Generation, reason: string): void {
    this.#failing.set(generation, reason);
  }

  /** Closes one that can be read no further. */
  abandon(generation: Generation): void {
    this.#giveUp(generation);
    this.drop(generation);
  }

  /** Closes one of which another reads on. */
  drop(generation: Generation): void {
    generation.close();
    this.#grown.delete(generation);
    this.#failing.delete(generation);
    this.#all = this.#all.filter((one) => one !== generation);
  }

  /** Closes what has lingered long enough. The oldest goes first, so that what is left follows what was closed. */
  retire(): void {
    const now = this.#parts.clock.monotonic();
    for (;;) {
      const [oldest] = this.#all;
      const lingering = this.#all.length - 1;
      if (oldest === undefined || lingering === 0) return;
      const quiet = now - (this.#grown.get(oldest) ?? now);
      if (quiet < linger && lingering <= mostLingering) return;
      const reason = this.#failing.get(oldest);
      if (reason !== undefined) this.#parts.tally.gap(unreadable(reason));
      this.#giveUp(oldest);
      this.#parts.past.closes(oldest);
      this.drop(oldest);
    }
  }

  /** Closes them all; they stay, for what was read of them. */
  close(): void {
    closeAll(this.#all);
  }

  /** Its unfinished line will never end. */
  #giveUp({ reading }: Generation): void {
    if (reading.unterminated > 0) this.#parts.tally.dropped("unterminated", 1);
  }
}

/** Why lines of a rotated file may be lost, from the reason of the last failure. */
export function unreadable(reason: string): string {
  return `a rotated file cannot be read to its end: ${reason}`;
}
