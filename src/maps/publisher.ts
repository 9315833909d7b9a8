/** WHEN a map is published: its pace, retries, removals first. It has a clock, and does no I/O of its own. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";

/** Why the map on disk is not what it should be: it lacks a client, or holds one too many. */
export type Change = "addition" | "removal";

interface PublisherParts {
  /** The table, as people know it. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The clients that the map must hold at the moment of the call. */
  readonly clients: () => Iterable<Client>;
  /** Makes the map on disk equal to these clients, or rejects. */
  readonly write: (clients: Iterable<Client>) => Promise<"written" | "unchanged">;
}

/** Why a map on disk is not what it should be. */
export interface Trouble {
  /** Wall clock, ms since 1970: when the first write in a row failed; undefined if none ended yet. */
  readonly since: number | undefined;
  readonly reason: string;
  /** Wall clock, ms since 1970: since when clients stand in the map whose grants are over; undefined if none do. */
  readonly overdue: number | undefined;
  /** Whether the map is empty although clients may relay. */
  readonly emptied: boolean;
}

interface Failure {
  readonly reason: string;
  /** Monotonic ms: the end of the first failed write in a row, and of the last one. */
  readonly since: number;
  readonly last: number;
  /** Monotonic ms: when it was last told. */
  readonly told: number;
}

/** Milliseconds from the start of one publish to the start of the next: at least so many, or so many times its cost. */
const shortestPace = 250;
const costs = 10;
/** A removal waits no longer than this, and a failed write is tried again after as much. */
const urgent = 1000;
const tellAgain = 60_000;
/** No timer is trusted for longer: clocks stop while a machine sleeps. */
const longestNap = 2000;

/** Keeps one map equal to the live clients. At most one write is under way, and each takes the newest clients when it starts. */
export class Publisher {
  readonly #parts: PublisherParts;
  #wanted: Change | undefined;
  #writing: Promise<void> | undefined;
  /** What all who call `publish` before the next write starts wait for. */
  #next: Promise<void> | undefined;
  #started = Number.NEGATIVE_INFINITY;
  #cost = 0;
  #failure: Failure | undefined;
  #stopped = false;
  #disarm = () => {};

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** False from a failed write until one succeeds. */
  get healthy(): boolean {
    return this.#failure === undefined;
  }

  /** Why the map on disk is not what it should be; undefined if the last write ended well. */
  get trouble(): Trouble | undefined {
    if (this.#failure === undefined) return undefined;
    const { clock } = this.#parts;
    const since = Math.round(clock.now() - clock.monotonic() + this.#failure.since);
    const overdue = this.#wanted === "removal" ? since : undefined;
    return { since, reason: this.#failure.reason, overdue, emptied: false };
  }

  /** Says that the live clients changed. After quiet they are published at once, else at the pace. */
  request(change: Change): void {
    if (this.#stopped) return;
    this.#want(change);
    this.#plan();
  }

  /**
   * Publishes what the clients are now, whatever the pace; it may be called after `stop`, too. Resolves when that is on disk.
   * Rejects with what `write` threw if it failed; unless stopped, it is then tried again every second.
   */
  publish(): Promise<void> {
    // What is on disk is not known to be right: whoever asks may be closing the relay.
    this.#want("removal");
    this.#next ??= this.#publishNext();
    return this.#next;
  }

  /** Ends the pace and the retries; a write under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined || this.#next !== undefined) {
      await (this.#writing ?? this.#next)?.catch(() => {});
    }
  }

  async #publishNext(): Promise<void> {
    // Not before `#next` is set, since that holds the paced writes back.
    await Promise.resolve();
    while (this.#writing !== undefined) await this.#writing.catch(() => {});
    const writing = this.#begin();
    this.#next = undefined;
    await writing;
  }

  #want(change: Change): void {
    if (this.#wanted !== "removal") this.#wanted = change;
  }

  /** Starts the write that is due, or sees to it that it starts when it is. */
  #plan(): void {
    this.#disarm();
    if (this.#stopped || this.#wanted === undefined) return;
    if (this.#writing !== undefined || this.#next !== undefined) return;
    const wait = this.#due(this.#wanted) - this.#parts.clock.monotonic();
    if (wait > 0) {
      this.#disarm = this.#parts.clock.after(Math.min(wait, longestNap), () => this.#plan());
    } else {
      // What failed is told, and planned again, where it ends.
      this.#begin().catch(() => {});
    }
  }

  #due(wanted: Change): number {
    if (this.#failure !== undefined) return this.#failure.last + urgent;
    const pace = Math.max(shortestPace, costs * this.#cost);
    return this.#started + (wanted === "removal" ? Math.min(pace, urgent) : pace);
  }

  #begin(): Promise<void> {
    this.#disarm();
    this.#started = this.#parts.clock.monotonic();
    const writing = this.#write().finally(() => {
      this.#writing = undefined;
      this.#plan();
    });
    this.#writing = writing;
    return writing;
  }

  async #write(): Promise<void> {
    const { clients, write, clock } = this.#parts;
    // What was asked for in the same turn belongs into the same snapshot.
    await Promise.resolve();
    const wanted = this.#wanted;
    this.#wanted = undefined;
    try {
      await write(clients());
      this.#cost = clock.monotonic() - this.#started;
      this.#succeeded();
    } catch (error) {
      this.#want(wanted ?? "removal");
      this.#failed(error);
      throw error;
    }
  }

  #succeeded(): void {
    const { name, clock, log } = this.#parts;
    if (this.#failure === undefined) return;
    const failed = clock.monotonic() - this.#failure.since;
    this.#failure = undefined;
    log.info("map is written again", { table: name, seconds: Math.round(failed / 1000) });
  }

  #failed(error: unknown): void {
    const { name, clock, log } = this.#parts;
    const now = clock.monotonic();
    const { since = now, told = Number.NEGATIVE_INFINITY } = this.#failure ?? {};
    const tell = now - told >= tellAgain;
    this.#failure = { since, last: now, told: tell ? now : told, reason: reasonOf(error) };
    if (!tell) return;
    log.error("map not written", {
      table: name,
      reason: reasonOf(error),
      removal_waits: this.#wanted === "removal",
      seconds: Math.round((now - since) / 1000),
    });
  }
}
