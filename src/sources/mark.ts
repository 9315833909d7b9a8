/** How far a file has been read, and how to know it again: by what stands there, never by its name or inode alone. */
import type { Checkpoint, Mark } from "../model.ts";
import type { Read } from "./past.ts";

/** A place in a file, with the bytes that stand before it and at the file's start. */
export interface Position {
  readonly offset: number;
  /** The last bytes before the offset: 64, or as many as there are. */
  readonly anchor: Buffer;
  /** The first bytes of the file: 256, or as many as stand before the offset. */
  readonly head: Buffer;
}

export const anchorLength = 64;
export const headLength = 256;
const lineFeed = 0x0a;
const nothing = Buffer.alloc(0);

export const beginning: Position = { offset: 0, anchor: nothing, head: nothing };

/** The position behind `bytes`, which stand at the one given. Keeps no part of `bytes` itself. */
export function advance({ offset, anchor, head }: Position, bytes: Buffer): Position {
  if (bytes.length === 0) return { offset, anchor, head };
  return {
    offset: offset + bytes.length,
    anchor:
      bytes.length >= anchorLength
        ? Buffer.from(bytes.subarray(-anchorLength))
        : Buffer.from(Buffer.concat([anchor, bytes]).subarray(-anchorLength)),
    head:
      head.length === headLength
        ? head
        : Buffer.concat([head, bytes.subarray(0, headLength - head.length)]),
  };
}

/**
 * Says whether two files begin with the same bytes, as far as both go, given the first bytes of each; if there is nothing
 * but less than a line of them, they may do so by chance.
 */
export function beginAlike(one: Buffer, other: Buffer, least: "a byte" | "a line"): boolean {
  const length = Math.min(one.length, other.length);
  const common = one.subarray(0, length);
  if (!common.equals(other.subarray(0, length))) return false;
  // Nothing, or a hole.
  if (common.every((byte) => byte === 0)) return false;
  return least === "a byte" || length === headLength || common.includes(lineFeed);
}

/** The form of a file that was read, and how far, that outlives the process. */
export function toMark({ dev, ino, born, position, unfinished, cut }: Read): Mark {
  return {
    dev,
    ino,
    born,
    offset: position.offset,
    anchor: position.anchor.toString("base64"),
    head: position.head.toString("base64"),
    ...(unfinished.length > 0 ? { unfinished: unfinished.toString("base64") } : {}),
    ...(cut ? { cut } : {}),
  };
}

/** The beginning of the line that had not ended when a mark was made; empty if there was none. */
export function unfinishedOf({ unfinished = "" }: Mark): Buffer {
  return Buffer.from(unfinished, "base64");
}

/** Takes a mark that was saved; undefined if it is damaged, or if nothing had been read, so that no content tells the file. */
export function fromMark(mark: Mark): Position | undefined {
  const { offset } = mark;
  const anchor = Buffer.from(mark.anchor, "base64");
  const head = Buffer.from(mark.head, "base64");
  const whole =
    Number.isSafeInteger(offset) &&
    offset > 0 &&
    anchor.length === Math.min(anchorLength, offset) &&
    head.length === Math.min(headLength, offset);
  return whole ? { offset, anchor, head } : undefined;
}

/** What a checkpoint says of a file; undefined if it is of something else, or there is none. */
export function marksOf(checkpoint: Checkpoint | undefined): readonly Mark[] | undefined {
  return checkpoint === undefined || "cursor" in checkpoint ? undefined : checkpoint;
}
