/** Where lines come from. */
import type { Checkpoints, Line, Progress } from "../model.ts";

/** One place that lines come from, each line once, in order. The constructor does nothing. */
export interface Source {
  /**
   * Starts to read where the checkpoint left off, and goes on until stopped. Resolves when all that was written before
   * is read and the source is live; a log that is missing or unreadable is told and waited for, and does not hold this up.
   * @throws SourceError if it can never be a log, such as a directory
   */
  start(): Promise<void>;
  /** Reads what is there, then ends. May be called twice. */
  stop(): Promise<void>;
  /** How far each of its logs was delivered; cheap enough to be asked once a second. */
  checkpoints(): Checkpoints;
  /** The same for people, and what it came to. */
  progress(): readonly Progress[];
  /** Monotonic ms: when it last showed that it works. A source that can only wait to be called gives Infinity. */
  beat(): number;
}

/** Says whether the line that stands in `bytes` from `from` up to its line feed at `end` may matter; keeps nothing of it. */
export type Wants = (bytes: Buffer, from: number, end: number) => boolean;

/** Called for each line that may matter, in order; must not keep `line.bytes`. */
export type Deliver = (line: Line) => void;

/** What is looked for in the lines of a source, and who takes them. */
export interface Wanted {
  /** Asked of every line that has a prefix of its own. */
  readonly wants: Wants;
  /** Every line that matters was written by a program that calls itself by one of these names. */
  readonly programs: readonly string[];
  /** The moment of a line that no source told apart from its prefix: ms since 1970; undefined if it does not tell. */
  readonly timeOf: (line: Buffer) => number | undefined;
  readonly deliver: Deliver;
}
