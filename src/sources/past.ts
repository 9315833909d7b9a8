/** What was read until lately: copies of it are not new, and what comes after it is known by it. */
import type { Generation } from "./generation.ts";
import { Inode } from "./inode.ts";
import type { Position } from "./mark.ts";

/** A file that is read, or was read, with a position by which a copy of it is known. */
export interface Read {
  readonly dev: number;
  readonly ino: number;
  readonly born: number;
  /** Once it is closed, its inode may be another file. */
  readonly open: boolean;
  readonly position: Position;
  /** The first bytes of the line that begins there, if it had not ended; see `Reading`. */
  readonly unfinished: Buffer;
  /** Its first line is half a line. */
  readonly cut: boolean;
  /** The first bytes, by which copies of a plain file are known. */
  readonly start?: Buffer | undefined;
}

const most = 8;

/** What stood in files that are closed now, and in those that were truncated. The youngest few alone are remembered. */
export class Past {
  #closed: readonly Read[] = [];
  #overwritten: readonly Read[] = [];

  /** All of it, the oldest first. */
  get all(): readonly Read[] {
    return [...this.#closed, ...this.#overwritten];
  }

  /** Files that were closed and had lines, the oldest first: an empty one does not tell what came before it. */
  get files(): readonly Read[] {
    return this.#closed.filter(({ position }) => position.offset > 0);
  }

  /** The file is about to be closed. */
  closes(generation: Generation): void {
    this.#closed = [...this.#closed, { ...withStart(generation), open: false }].slice(-most);
  }

  /** What was read of the file stands there no longer. */
  overwrites(generation: Generation): void {
    const { lineStart } = generation.reading;
    if (lineStart.offset === 0) return;
    const read = { ...readOf(generation), open: false, start: lineStart.head };
    this.#overwritten = [...this.#overwritten, read].slice(-most);
  }
}

/** How far a file that is open has been read. */
export function readOf({ dev, ino, born, reading }: Generation): Read {
  const { lineStart: position, unfinished, beginsCut: cut } = reading;
  return { dev, ino, born, open: true, position, unfinished, cut };
}

/** The same with its first bytes. */
export function withStart(generation: Generation): Read {
  const { head } = generation.reading.lineStart;
  try {
    const start = generation instanceof Inode ? generation.start() : head;
    return { ...readOf(generation), start };
  } catch {
    // It cannot be read at the moment, and holds nobody else up.
    return { ...readOf(generation), start: head };
  }
}
