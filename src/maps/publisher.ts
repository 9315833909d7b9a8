/** WHEN a map is published: its pace, retries, removals first, the last resort. It has a clock, and does no I/O of its own. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { Failure, type Trouble } from "./failure.ts";

/**
 * Why the map on disk is not what it should be, the most urgent last: it lacks a client; one in it has reached its end; one was
 * revoked. A renewal moves an end: that matters where the map leaves out who is near it.
 */
export type Change = (typeof urgencies)[number];

const urgencies = ["renewal", "addition", "expiry", "removal"] as const;

interface PublisherParts {
  /** The table, as people know it. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The clients that the map must hold, but for those whose grants end within so many ms. */
  readonly clients: (ahead: number) => Iterable<Client>;
  /** How much sooner than at its end a grant may leave the map, in ms. */
  readonly mostAhead: () => number;
  /** Milliseconds that a client whose grant is over may stay in a map that cannot be written. */
  readonly limit: () => number;
  /** Makes the map on disk equal to these clients, or rejects. */
  readonly write: (clients: Iterable<Client>) => Promise<"written" | "unchanged">;
  /** Puts an empty map there without building one, or rejects; a write that hangs is overtaken. */
  readonly resort: () => Promise<void>;
  /** Whether the map that the last resort put there is untouched by later writes; always so if absent. */
  readonly isEmpty?: () => boolean;
}

/** Milliseconds from the start of one publish to the start of the next: at least so many, or so many times its cost. */
const shortestPace = 250;
const costs = 10;
/** A removal waits no longer than this, and a failed write is tried again after as much. */
const urgent = 1000;
/** No timer is trusted for longer: clocks stop while a machine sleeps. */
const longestNap = 2000;

/**
 * Keeps one map equal to the live clients. At most one write is under way, and each takes the newest clients when it starts.
 *
 * Writes may take a tenth of the time, and an expired client may wait for one second. At 100,000 grants some expire in every
 * second, and a whole hash costs 0.3 s or more: both cannot be had by writing more often, nor by adding and removing keys,
 * which no tool does in one transaction (postfix.ts). So the pace holds, and who ends before the next write could be due is left
 * out of this one: sooner than at the end, by nine seconds where a write takes one. Where a write takes 100 ms or less nobody is.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  #wanted: Change | undefined;
  #writing: Promise<void> | undefined;
  /** What all who call `publish` before the next write starts wait for. */
  #next: Promise<void> | undefined;
  #started = Number.NEGATIVE_INFINITY;
  #cost = 0;
  /** Whose grants end within so many ms of its start, the last write left out. */
  #ahead = 0;
  readonly #failure: Failure;
  #stopped = false;
  #disarm = () => {};

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    const resort = async (): Promise<void> => {
      await parts.resort();
      // Now those are missing whose grants are live, whatever became of a write that was under way.
      this.#want("addition");
      this.#plan();
    };
    this.#failure = new Failure({ ...parts, resort });
  }

  /** Why the map on disk is not what it should be; undefined if the last write ended well and nobody waits for too long. */
  get trouble(): Trouble | undefined {
    return this.#failure.trouble;
  }

  /** Monotonic ms: when the write began that is under way; Infinity if none is. */
  get beat(): number {
    return this.#writing === undefined ? Infinity : this.#started;
  }

  /** Says that the live clients changed. After quiet they are published at once, else at the pace. */
  request(change: Change): void {
    if (this.#stopped || (change === "renewal" && this.#ahead === 0)) return;
    // What is wanted already is planned already: logins come by the thousand, and a timer costs more than one of them.
    if (this.#want(change)) this.#plan();
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

  /** Ends the pace, the retries and the wait for the last resort; a write under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
    this.#failure.stop();
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

  /** Gives whether nothing as urgent was wanted before. */
  #want(change: Change): boolean {
    if (isRemoval(change)) this.#failure.removalWaits();
    const former = this.#wanted;
    const isNews = former === undefined || urgencies.indexOf(change) > urgencies.indexOf(former);
    if (isNews) this.#wanted = change;
    return isNews;
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
    const { failedAt } = this.#failure;
    if (failedAt !== undefined) {
      return failedAt + (isRemoval(wanted) ? urgent : Math.max(urgent, this.#pace));
    }
    const most = {
      renewal: Infinity,
      addition: Infinity,
      expiry: this.#ahead + urgent,
      removal: urgent,
    };
    return this.#started + Math.min(this.#pace, most[wanted]);
  }

  get #pace(): number {
    return Math.max(shortestPace, costs * this.#cost);
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
    const { clients, write, clock, mostAhead } = this.#parts;
    // What was asked for in the same turn belongs into the same snapshot.
    await Promise.resolve();
    const wanted = this.#wanted;
    this.#wanted = undefined;
    this.#ahead = Math.min(Math.max(0, this.#pace - urgent), mostAhead());
    this.#failure.begin();
    try {
      await write(clients(this.#ahead));
      this.#cost = clock.monotonic() - this.#started;
      this.#failure.succeeded();
    } catch (error) {
      this.#want(wanted ?? "removal");
      this.#failure.failed(error);
      throw error;
    }
  }
}

function isRemoval(change: Change): boolean {
  return change === "expiry" || change === "removal";
}
