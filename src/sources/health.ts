/** Tells what ails a log: each trouble once when it begins, once when it is over, and never in a flood. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Trouble } from "./named.ts";
import type { Condition } from "./pace.ts";
import { quietTime } from "./tally.ts";

/** A name is missing for a moment in every rotation, and what was just told may come and go: told after so many ms only. */
const patience = 1000;

/** A trouble that is not older may be a rotation. */
const shortTime = 5000;

/** Remembers what was told about one log. */
export class Health {
  readonly #source: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #trouble: Trouble | undefined;
  #reason: string | undefined;
  #since = 0;
  #told = true;
  #lastTold = -Infinity;
  #following = false;
  #unwatched = false;
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

  /** The same with the reason, once it was told: what is over in a moment is none. */
  get complaint(): string | undefined {
    if (this.#trouble === undefined || !this.#told) return undefined;
    return this.#reason === undefined ? this.#trouble : `${this.#trouble}: ${this.#reason}`;
  }

  /** How soon it is to be looked at again. */
  get condition(): Condition {
    if (this.#trouble === undefined) return this.#unwatched ? "ailing" : "well";
    return this.#clock.monotonic() - this.#since < shortTime ? "moving" : "ailing";
  }

  /** Once the log is in this trouble, with the reason in words. */
  ails(trouble: Trouble, reason?: string): void {
    if (this.#trouble !== trouble || this.#reason !== reason) {
      this.#since = this.#clock.monotonic();
      this.#trouble = trouble;
      this.#reason = reason;
      this.#told = false;
    }
    const now = this.#clock.monotonic();
    const mayPass =
      (this.#following && trouble === "log missing") || now - this.#lastTold < quietTime;
    if (this.#told || (mayPass && now - this.#since < patience)) return;
    this.#told = true;
    this.#lastTold = now;
    this.#log.warning(trouble, { source: this.#source, reason });
  }

  /** The log is read, from `offset` on if it was just opened. */
  follows(offset?: number): void {
    const news = !this.#following || (this.#trouble !== undefined && this.#told);
    this.#trouble = undefined;
    this.#following = true;
    if (news) this.#log.info("following", { source: this.#source, offset });
  }

  /** The kernel refuses to watch; told once. */
  readonly cannotWatch = (reason: string): void => {
    if (this.#unwatched) return;
    this.#unwatched = true;
    this.#log.warning("cannot watch, looking 4 times a second", { source: this.#source, reason });
  };

  /** The name is the mount point of one file: what bears the name outside, after a rotation, never comes here. */
  mountedAlone(): void {
    const reason = "its rotation cannot be seen: mount its directory instead";
    this.#log.warning("log is mounted as a single file", { source: this.#source, reason });
  }

  /** Something that should never fail did. */
  failed(what: string, reason: string): void {
    const now = this.#clock.monotonic();
    if (now - (this.#failures.get(what) ?? -Infinity) < quietTime) return;
    this.#failures.set(what, now);
    this.#log.error(what, { source: this.#source, reason });
  }
}
