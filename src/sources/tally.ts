/** What a log has come to since popgate started: counted, and told where lines were lost or may have been. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { DropReason, Progress } from "../model.ts";
import type { Counts } from "./generation.ts";

/** What may come again with each line is told at most once in so many ms. */
export const quietTime = 60_000;

const droppedTexts: Readonly<Record<DropReason, string>> = {
  too_long: "line too long",
  unterminated: "line unterminated",
  untrusted: "line untrusted",
};

/** The counters of one log, through all its files. */
export class Tally {
  readonly #source: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #lines = 0;
  /** Wall clock, ms since 1970. */
  #lastLine: number | undefined;
  #rotations = 0;
  #gaps = 0;
  readonly #dropped: Record<DropReason, number> = { too_long: 0, unterminated: 0, untrusted: 0 };
  /** How many of each have been told, and when that was. */
  readonly #told = new Map<DropReason, { readonly dropped: number; readonly at: number }>();
  /** Monotonic ms: the end was not reached since; undefined if it was at the last look. */
  #behind: number | undefined;

  constructor(source: string, clock: Clock, log: Log) {
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
  }

  /** A turn of reading one file has brought it from these counts to those. */
  counted(before: Counts, after: Counts): void {
    this.ended(after.lines - before.lines);
    this.dropped("too_long", after.tooLong - before.tooLong);
    this.dropped("unterminated", after.cut - before.cut);
  }

  /** So many lines more have ended, whatever they said. */
  ended(lines: number): void {
    this.#lines += lines;
    if (lines > 0) this.#lastLine = this.#clock.now();
  }

  /** So many of the lines that ended, or never will, are not delivered. */
  dropped(reason: DropReason, lines: number): void {
    this.#dropped[reason] += lines;
    const dropped = this.#dropped[reason];
    const told = this.#told.get(reason) ?? { dropped: 0, at: -Infinity };
    const at = this.#clock.monotonic();
    if (dropped === told.dropped || at - told.at < quietTime) return;
    this.#told.set(reason, { dropped, at });
    const fields = { source: this.#source, dropped: dropped - told.dropped };
    this.#log.warning(droppedTexts[reason], fields);
  }

  /** The name means another file, and so many more have borne it between the former one and that one. */
  rotated(between: number): void {
    this.passedOn(1 + between);
    this.#log.info("rotated", {
      source: this.#source,
      between: between === 0 ? undefined : between,
    });
  }

  /** The log was truncated, at least once, and so many copies of it are read. */
  truncated(copies: number): void {
    this.passedOn(Math.max(1, copies));
    this.#log.info("truncated", { source: this.#source, copies });
  }

  /** It goes on with so many files, one after the other. */
  passedOn(files: number): void {
    this.#rotations += files;
  }

  /** So many bytes of lines that are too old to matter are not read. */
  skipped(bytes: number): void {
    this.#log.info("older lines skipped", { source: this.#source, bytes });
  }

  /** Lines may have been lost. */
  gap(reason: string): void {
    this.#gaps++;
    this.#log.warning("possible gap", { source: this.#source, reason });
  }

  /** Somebody looks whether there is something to read. */
  looks(): void {
    this.#behind ??= this.#clock.monotonic();
  }

  /** All that could be there is read. */
  reachedEnd(): void {
    this.#behind = undefined;
  }

  /** All of it, with what only the source itself knows. */
  progress(
    known: Pick<Progress, "position"> & Partial<Pick<Progress, "lag_bytes" | "trouble">>,
  ): Progress {
    const behind = this.#behind === undefined ? 0 : this.#clock.monotonic() - this.#behind;
    return {
      name: this.#source,
      position: known.position,
      ...(known.lag_bytes === undefined ? {} : { lag_bytes: known.lag_bytes }),
      lag_seconds: Math.floor(behind / 1000),
      lines: this.#lines,
      rotations: this.#rotations,
      dropped: { ...this.#dropped },
      gaps: this.#gaps,
      ...(known.trouble === undefined ? {} : { trouble: known.trouble }),
      ...(this.#lastLine === undefined ? {} : { last_line: this.#lastLine }),
    };
  }

  /** Tells an event with what has been counted; what did not happen is left out, but for gaps. */
  tell(event: string, position: string): void {
    const counts = Object.entries({ rotations: this.#rotations, ...this.#dropped });
    this.#log.info(event, {
      source: this.#source,
      position,
      lines: this.#lines,
      ...Object.fromEntries(counts.filter(([, count]) => count > 0)),
      gaps: this.#gaps,
    });
  }
}
