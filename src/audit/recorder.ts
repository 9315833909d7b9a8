/** Keeps the audit: gathers events and appends them in batches, without ever holding anything else up. */
import type { Audit, AuditEvent } from "../audit-event.ts";
import { inTime, type Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AuditFile } from "./file.ts";
import { lineOf, type Recorded } from "./line.ts";
import { Visits } from "./visits.ts";

/** Milliseconds that an event waits for others; until a failed write is tried again; between two looks at the hour. */
const pause = 250;
const retry = 1000;
const look = 5000;
/** Milliseconds after which a write that has not come back is a trouble; and that a stop waits for the last one. */
const patience = 10_000;
const lastPatience = 5000;
/** Events that may wait: a disk may be full for hours. */
export const mostWaiting = 100_000;
/** Events that are made lines, and written, in one turn: about a millisecond's worth. */
const slice = 500;

interface RecorderParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Rejects if the file cannot be had. */
  readonly open: (path: string) => Promise<AuditFile>;
}

/**
 * One writer for one file. What it writes is in the hands of the kernel, not on the disk: the audit is no reason to make the
 * disk busy. Whatever fails, is told, shows in the status, and is tried again; nobody waits for it.
 */
export class Recorder implements Audit {
  readonly #parts: RecorderParts;
  readonly #visits = new Visits();
  /** What waits, the oldest first. */
  readonly #queue: Recorded[] = [];
  /** Events for which there was no room; and since when the trouble lasts, all of them. */
  #lost = 0;
  #lostInAll = 0;
  #path: string | undefined;
  #file: AuditFile | undefined;
  /** The file that is open is not the one that is meant any more. */
  #stale = false;
  #started = false;
  #stopped = false;
  #fault: { readonly reason: string; readonly since: number } | undefined;
  #cancel = () => {};
  /** When the next turn is, in monotonic ms; and when the one under way began. */
  #due = Infinity;
  #workBegan = 0;
  #work: Promise<void> | undefined;

  /** Keeps nothing until it is told where. */
  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  get trouble(): string | undefined {
    const { clock } = this.#parts;
    if (this.#fault !== undefined) {
      const since = new Date(this.#fault.since).toISOString();
      return `audit ${this.#path ?? ""}: not written since ${since}: ${this.#fault.reason}`;
    }
    const ms = clock.monotonic() - this.#workBegan;
    if (this.#work === undefined || ms < patience) return undefined;
    return `audit ${this.#path ?? ""}: a write has not come back for ${String(Math.round(ms / 1000))} s`;
  }

  record(event: AuditEvent): void {
    if (this.#path === undefined) return;
    const now = this.#parts.clock.now();
    if (event.event === "renewed") this.#addAll(this.#visits.take(event, now));
    else this.#add({ ...event, time: now });
    this.#wake(this.#pauseNow() ?? look);
  }

  /** Keeps the audit in this file from now on, or none. What waits goes where it would have gone, if that is still open. */
  configure(path: string | undefined): void {
    if (path === this.#path) return;
    this.#addAll(this.#visits.all());
    this.#path = path;
    this.reopen();
  }

  /** Takes the file that has the name now: the former one was renamed. */
  reopen(): void {
    this.#stale = true;
    this.#wake(0);
  }

  /** Writes from now on, what was told before, too. */
  start(): void {
    this.#started = true;
    this.#wake(0);
  }

  /** Writes what there is, waits some seconds for that at most, and lets go. */
  async stop(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#stopped = true;
    this.#cancel();
    if (!this.#started) return;
    this.#addAll(this.#visits.all());
    const late = new Error("it takes too long");
    await inTime(clock, lastPatience, this.#finish(), late).catch((error: unknown) =>
      log.error("audit not written to its end", {
        file: this.#path,
        lost: this.#queue.length + this.#lostInAll,
        reason: reasonOf(error),
      }),
    );
  }

  async #finish(): Promise<void> {
    await this.#work;
    await this.#write();
    await this.#close();
    if (this.#fault !== undefined) throw new Error(this.#fault.reason);
  }

  #addAll(all: readonly Recorded[]): void {
    for (const one of all) this.#add(one);
  }

  #add(recorded: Recorded): void {
    if (this.#queue.length >= mostWaiting) {
      this.#lost++;
      this.#lostInAll++;
      return;
    }
    this.#tellLost();
    this.#queue.push(recorded);
  }

  /** Where something is missing, the file says so. */
  #tellLost(): void {
    if (this.#lost === 0) return;
    this.#queue.push({ event: "lost", time: this.#parts.clock.now(), events: this.#lost });
    this.#lost = 0;
  }

  /** Has a turn in so many ms at the latest. */
  #wake(ms: number): void {
    if (!this.#started || this.#stopped || this.#work !== undefined) return;
    const { clock } = this.#parts;
    const due = clock.monotonic() + ms;
    if (due >= this.#due) return;
    this.#cancel();
    this.#due = due;
    this.#cancel = clock.after(ms, () => {
      this.#due = Infinity;
      this.#workBegan = clock.monotonic();
      this.#work = this.#turn();
    });
  }

  async #turn(): Promise<void> {
    await this.#write();
    this.#work = undefined;
    const next = this.#pauseNow();
    if (next !== undefined) this.#wake(next);
  }

  /** Milliseconds until there is something to do; undefined if there is nothing. */
  #pauseNow(): number | undefined {
    if (this.#stale) return 0;
    if (this.#fault !== undefined) return retry;
    if (this.#queue.length > 0) return pause;
    return this.#visits.waiting ? look : undefined;
  }

  /** Writes all that waits. Never rejects. */
  async #write(): Promise<void> {
    const { clock, log } = this.#parts;
    try {
      this.#addAll(this.#visits.over(clock.now()));
      if (this.#stale) await this.#change();
      if (this.#path === undefined) return;
      if (this.#file !== undefined && (await this.#file.isGone())) await this.#close();
      this.#file ??= await this.#parts.open(this.#path);
      await this.#drain(this.#file);
      if (this.#fault === undefined) return;
      this.#fault = undefined;
      log.warning("audit written again", { file: this.#path, lost: this.#lostInAll });
      this.#lostInAll = 0;
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#fault === undefined) log.error("audit not written", { file: this.#path, reason });
      this.#fault = { reason, since: this.#fault?.since ?? clock.now() };
    }
  }

  /** Lets the former file go, with what still belongs there. */
  async #change(): Promise<void> {
    this.#stale = false;
    if (this.#file !== undefined) await this.#drain(this.#file).catch(() => {});
    await this.#close();
    if (this.#path !== undefined) return;
    this.#queue.length = 0;
    this.#fault = undefined;
  }

  /** Rejects with what keeps a line out of the file. */
  async #drain(file: AuditFile): Promise<void> {
    while (this.#queue.length > 0) {
      const { lines, error } = await file.append(this.#queue.slice(0, slice).map(lineOf));
      this.#queue.splice(0, lines);
      if (error !== undefined) throw error;
      this.#tellLost();
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}
