/** What the model knows of one line and of one file. Types only. */

/** A line that a writer has begun. */
export interface Line {
  readonly id: number;
  /** With its line feed. */
  readonly bytes: Buffer;
  /** The file that it was written to, and how often that had been truncated before. */
  readonly file: File;
  readonly epoch: number;
  /** How many lines had ended when that file was born, or was truncated last: those come out before. */
  readonly after: number;
  /** It is the first there. */
  readonly first: boolean;
  /** Its place among the lines of all files, by the moment of their line feeds; undefined as long as that is not written. */
  order: number | undefined;
  /** It stands in them, whole. */
  readonly places: Map<File, number>;
  /** How often it has come out, how often it has to, and how often it may. */
  deliveries: number;
  due: number;
  most: number;
  /** Why nobody can read it any more. */
  doomed: string | undefined;
}

/** Part of a line, as it stands in a file. */
export interface Piece {
  readonly line: Line;
  readonly part: "whole" | "head" | "tail";
}

/** One inode. */
export interface File {
  readonly birth: number;
  /** Its inode number, and when it was made: a file that is made in the same tick may have both. */
  readonly identity: string;
  /** How often it has been truncated. */
  epoch: number;
  /** How many lines had ended when it was born, or was truncated last. */
  after: number;
  pieces: Piece[];
  /** Monotonic ms. */
  grown: number;
  /** Nobody is permitted to open it. */
  denied: boolean;
  /** It begins with a hole. */
  hole: boolean;
  /** It is compressed. */
  packed: boolean;
}
