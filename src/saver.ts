/** When the state is saved: soon after a change, never so often that it costs much, and again until it succeeds. */
import { inTime, type Clock } from "./clock.ts";
import { codeOf, reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** Milliseconds between two looks at whether there is something to save; and when there was nothing, and nobody asks. */
const shortest = 1000;
const longest = 5000;
/** A save may take one part in so many of the time. */
const share = 50;
/** Milliseconds: a disk that hung for a while must not put the next save off for an hour. */
const longestPause = 60_000;
/** Milliseconds that the last save may take. */
const patience = 5000;
/** Milliseconds between two complaints about the same fault. */
const complaint = 60_000;

/** Troubles of a disk that may be over without anybody changing the config. */
const passing = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE"]);

interface SaverParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether there is something that was not saved yet. */
  readonly changed: () => boolean;
  readonly save: () => Promise<void>;
}

/** Saves at most once per max(1 s, 50 times what the last save took), but once a minute however long that was. */
export class Saver {
  readonly #parts: SaverParts;
  #cancel = () => {};
  #saving: Promise<void> | undefined;
  #began = 0;
  #asleep = false;
  #stopped = false;
  #ended = false;
  #complained: number | undefined;

  constructor(parts: SaverParts) {
    this.#parts = parts;
  }

  /** Monotonic ms: when the save began that is under way; Infinity if none is. */
  get beat(): number {
    return this.#saving === undefined ? Infinity : this.#began;
  }

  /** Looks from now on. */
  start(): void {
    this.#arm(shortest);
  }

  /** Something has changed: it is saved within a second, or as soon as the last save allows. */
  ask(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#cancel();
    this.#arm(shortest);
  }

  /**
   * Saves now, after a save that is under way.
   * @throws what `save` throws
   */
  async save(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving.catch(() => {});
    if (this.#ended) throw new Error("the last save is over");
    this.#began = this.#parts.clock.monotonic();
    this.#saving = this.#parts.save();
    try {
      await this.#saving;
    } finally {
      this.#saving = undefined;
    }
  }

  /**
   * Saves now, however long a full disk makes it wait, unless it is stopped: no table is filled that would be unknown after a crash.
   * @throws what `save` throws, if waiting would not help
   */
  async insist(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.save();
      } catch (error) {
        if (!passing.has(codeOf(error) ?? "")) throw error;
        this.#complain(error);
        await new Promise<void>((resolve) => {
          this.#parts.clock.after(shortest, resolve);
        });
      }
    }
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /**
   * Saves for the last time, after a save that is under way. A disk that hangs must not keep whoever stops from what is left to do.
   * None begins after this, since another popgate may have the state then.
   * @throws what `save` throws, or an Error if it hangs
   */
  async saveAtLast(): Promise<void> {
    try {
      await inTime(this.#parts.clock, patience, this.save(), new Error("the disk hangs"));
    } finally {
      this.#ended = true;
    }
  }

  #arm(ms: number): void {
    if (!this.#stopped) this.#cancel = this.#parts.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, log, changed } = this.#parts;
    const began = clock.monotonic();
    this.#asleep = false;
    if (this.#saving === undefined && !changed()) {
      this.#asleep = true;
      return this.#arm(longest);
    }
    if (this.#saving === undefined) {
      try {
        await this.save();
        if (this.#complained !== undefined) log.info("state saved again");
        this.#complained = undefined;
      } catch (error) {
        this.#complain(error);
      }
    }
    const pause = Math.min(longestPause, share * (clock.monotonic() - began));
    this.#arm(Math.max(shortest, pause));
  }

  #complain(error: unknown): void {
    const now = this.#parts.clock.monotonic();
    if (this.#complained !== undefined && now - this.#complained < complaint) return;
    this.#complained = now;
    this.#parts.log.error("state not saved, a restart would forget", { reason: reasonOf(error) });
  }
}
