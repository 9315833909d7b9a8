/** Tells what ails a log: each trouble once when it begins, once when it is over, and never in a flood. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Trouble } from "./named.ts";

/** A name is missing for a moment in every rotation: while a log is followed, that is told after so many ms only. */
const patience = 1000;

/** What may come again with each line is told at most once in so many ms. */
const quietTime = 60_000;

/** Remembers what was told about one log. */
export class Health {
  readonly #source: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #trouble: Trouble | undefined;
  #reason: string | undefined;
  #since = 0;
  #told = true;
  #following = false;
  #unwatched = false;
  #dropped = 0;
  #droppedTold = -Infinity;
  /** When each was told. */
  readonly #failures = new Map<string, number>();

  constructor(source: string, clock: Clock, log: Log) {
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
  }

  /** What is wrong with the log, if anything is. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** For how many ms the log has been in trouble; 0 if it is not. */
  get ailing(): number {
    return this.#trouble === undefined ? 0 : Math.max(1, this.#clock.monotonic() - this.#since);
  }

  /** Once the log is in this trouble, with the reason in words. */
  ails(trouble: Trouble, reason?: string): void {
    if (this.#trouble !== trouble || this.#reason !== reason) {
      this.#since = this.#clock.monotonic();
      this.#trouble = trouble;
      this.#reason = reason;
      this.#told = false;
    }
    const brief = this.#following && trouble === "log missing" && this.ailing < patience;
    if (this.#told || brief) return;
    this.#told = true;
    this.#log.warning(trouble, { source: this.#source, reason });
  }

  /** The log is read, from `offset` on if it was just opened. */
  follows(offset: number): void {
    const news = !this.#following || (this.#trouble !== undefined && this.#told);
    this.#trouble = undefined;
    this.#following = true;
    if (news) this.#log.info("following", { source: this.#source, offset });
  }

  /** So many lines more were dropped because they were too long. */
  dropped(lines: number): void {
    this.#dropped += lines;
    const now = this.#clock.monotonic();
    if (this.#dropped === 0 || now - this.#droppedTold < quietTime) return;
    this.#log.warning("line too long", { source: this.#source, dropped: this.#dropped });
    this.#dropped = 0;
    this.#droppedTold = now;
  }

  /** The kernel refuses to watch; told once. */
  cannotWatch(reason: string): void {
    if (this.#unwatched) return;
    this.#unwatched = true;
    this.#log.warning("cannot watch, looking 4 times a second", { source: this.#source, reason });
  }

  /** Something that should never fail did. */
  failed(what: string, reason: string): void {
    const now = this.#clock.monotonic();
    if (now - (this.#failures.get(what) ?? -Infinity) < quietTime) return;
    this.#failures.set(what, now);
    this.#log.error(what, { source: this.#source, reason });
  }
}
