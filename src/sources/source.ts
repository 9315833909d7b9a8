/** Where lines come from. */
import type { Checkpoint, Line } from "../model.ts";

/** One place that lines come from, each line once, in order. The constructor does nothing. */
export interface Source {
  /** As people know it: the path of a log. */
  readonly name: string;
  /**
   * Starts to read where the checkpoint left off, and goes on until stopped. Resolves when all that was written before
   * is read and the source is live; a log that is missing or unreadable is told and waited for, and does not hold this up.
   * @throws SourceError if the path is something that is not a file, such as a directory
   */
  start(): Promise<void>;
  /** Reads what is there, then ends. May be called twice. */
  stop(): Promise<void>;
  /** How far it has delivered; cheap enough to be asked once a second. */
  checkpoint(): Checkpoint;
}

/** Called for each line that holds a marker, in order; must not keep `line.bytes`. */
export type Deliver = (line: Line) => void;
