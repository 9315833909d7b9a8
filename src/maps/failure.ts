/** What is known of a map that cannot be written: since when, why, who waits for it, and when the last resort is taken. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";

/** Why the map on disk is not what it should be. */
export interface Trouble {
  /** Wall clock, ms since 1970: when the first write in a row failed; undefined if none ended yet. */
  readonly since: number | undefined;
  readonly reason: string;
  /** Wall clock, ms since 1970: since when clients stand in the map whose grants are over; undefined if none do. */
  readonly overdue: number | undefined;
  /** Whether the last resort is in force: the map is empty, although clients may relay. */
  readonly emptied: boolean;
}

interface FailureParts {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limit: () => number;
  readonly resort: () => Promise<void>;
  /** Whether nothing was put there since the last resort; always so if absent. */
  readonly isEmpty?: () => boolean;
}

interface Failed {
  /** Monotonic ms: the end of the first failed write in a row, and of the last one. */
  readonly since: number;
  readonly last: number;
  /** Monotonic ms: when it was last told. */
  readonly told: number;
  readonly reason: string;
}

const tellAgain = 60_000;
/** Milliseconds until a last resort that failed is tried again. */
const again = 1000;
/** A write that takes longer than this is no ordinary one. */
const longestWrite = 5000;
/** No timer is trusted for longer. */
const longestNap = 2000;

/**
 * The troubles of one map. From the moment when a client should leave the map until it has, a watch runs, whether writes
 * fail, hang or are not even tried; at its end the map is emptied by the last resort.
 */
export class Failure {
  readonly #parts: FailureParts;
  #failed: Failed | undefined;
  /** Monotonic ms since when a removal waits for the next write, and for the one that is under way. */
  #waiting: number | undefined;
  #taken: number | undefined;
  #emptied = false;
  #resorting = false;
  /** Monotonic ms: when a failing last resort was last told. */
  #toldResort = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #disarm = () => {};

  constructor(parts: FailureParts) {
    this.#parts = parts;
  }

  /** Monotonic ms: when the last write failed; undefined if it did not. */
  get failedAt(): number | undefined {
    return this.#failed?.last;
  }

  get trouble(): Trouble | undefined {
    const { clock } = this.#parts;
    const wall = (at: number) => Math.round(clock.now() - clock.monotonic() + at);
    const oldest = this.#oldest;
    const late = oldest !== undefined && clock.monotonic() - oldest > longestWrite;
    if (this.#failed === undefined && !this.#emptied && !late) return undefined;
    return {
      since: this.#failed === undefined ? undefined : wall(this.#failed.since),
      reason: this.#failed?.reason ?? "a write takes long",
      overdue: oldest === undefined ? undefined : wall(oldest),
      emptied: this.#emptied,
    };
  }

  /** A client has to leave the map. */
  removalWaits(): void {
    // There is nobody in it.
    if (this.#emptied && this.#stillEmpty) return;
    this.#waiting ??= this.#parts.clock.monotonic();
    this.#watch();
  }

  /** A write begins: it takes out all who wait by now. */
  begin(): void {
    this.#taken = this.#waiting;
    this.#waiting = undefined;
  }

  succeeded(): void {
    const { name, clock, log } = this.#parts;
    this.#taken = undefined;
    this.#emptied = false;
    this.#watch();
    if (this.#failed === undefined) return;
    const failed = clock.monotonic() - this.#failed.since;
    this.#failed = undefined;
    log.info("map is written again", { table: name, seconds: Math.round(failed / 1000) });
  }

  failed(error: unknown): void {
    const { name, clock, log } = this.#parts;
    const now = clock.monotonic();
    this.#waiting = this.#taken ?? this.#waiting;
    this.#taken = undefined;
    if (this.#emptied && !this.#stillEmpty) {
      // It failed when its clients were in the map already, and some of them may be over.
      this.#emptied = false;
      this.#waiting ??= now;
    }
    const { since = now, told = Number.NEGATIVE_INFINITY } = this.#failed ?? {};
    const tell = now - told >= tellAgain;
    const reason = reasonOf(error);
    this.#failed = { since, last: now, told: tell ? now : told, reason };
    this.#watch();
    if (!tell) return;
    log.error("map not written", {
      table: name,
      reason,
      removal_waits: this.#waiting !== undefined,
      seconds: Math.round((now - since) / 1000),
      emptied: this.#emptied || undefined,
    });
  }

  /** Ends the watch. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  get #stillEmpty(): boolean {
    return this.#parts.isEmpty?.() !== false;
  }

  get #oldest(): number | undefined {
    return this.#taken ?? this.#waiting;
  }

  #watch(): void {
    this.#disarm();
    const oldest = this.#oldest;
    if (this.#stopped || this.#resorting || oldest === undefined) return;
    const { clock, limit } = this.#parts;
    const wait = oldest + limit() - clock.monotonic();
    const nap = Math.min(wait, longestNap);
    this.#disarm = clock.after(nap, () => (wait > nap ? this.#watch() : void this.#resort()));
  }

  async #resort(): Promise<void> {
    const { name, clock, log, resort } = this.#parts;
    this.#resorting = true;
    const seconds = Math.round((clock.monotonic() - (this.#oldest ?? 0)) / 1000);
    const why = this.#failed?.reason ?? "a write hangs";
    try {
      await resort();
      this.#emptied = true;
      this.#waiting = undefined;
      this.#taken = undefined;
      log.error("map emptied: clients whose grants were over could not be taken out", {
        table: name,
        reason: why,
        seconds,
      });
    } catch (error) {
      this.#tellResort(reasonOf(error), seconds);
      // A write may have taken them out meanwhile, and another publisher may have the table.
      if (this.#stopped || this.#oldest === undefined) return;
      this.#disarm = clock.after(again, () => void this.#resort());
    } finally {
      this.#resorting = false;
    }
  }

  #tellResort(reason: string, seconds: number): void {
    const { name, clock, log } = this.#parts;
    const now = clock.monotonic();
    if (now - this.#toldResort < tellAgain) return;
    this.#toldResort = now;
    log.error(
      "the relay stays open for clients whose grants are over: the map cannot even be emptied",
      {
        table: name,
        reason,
        seconds,
      },
    );
  }
}
