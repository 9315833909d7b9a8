/** One file in the history of a log, being read: where it stands, whatever kind of file it is. */
import { type LineSplitter, longestLine } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import { advance, anchorLength, beginning } from "./mark.ts";
import type { Position } from "./mark.ts";

/**
 * What a turn of reading came to: there is more now; there is no more now; nothing was read, since what had been read stands
 * there no longer; nothing was read, since the file has changed for the first time and older lines may stand in a copy of it.
 */
export type Turn = "more" | "end" | "truncated" | "first";

/** Lines that ended, and how many of them were too long, or had lost their first half. */
export interface Counts {
  readonly lines: number;
  readonly tooLong: number;
  readonly cut: number;
}

/** A file that is open and is read on from where it was left. */
export interface Generation {
  readonly dev: number;
  readonly ino: number;
  /** See `Sibling`. */
  readonly born: number;
  readonly reading: Reading;
  /** Bytes that are there and were not read; undefined while that cannot be known. Outlives the closing. */
  readonly unread: number | undefined;
  /** The first bytes of its text: 256, or as many as there are. To be asked for before anything is read of a packed one. */
  start(): Buffer | Promise<Buffer>;
  /** Reads one chunk and delivers its whole lines. Throws, or rejects with, a system error. */
  read(): Turn | Promise<Turn>;
  /** May be called twice; `reading` outlives it. */
  close(): void;
}

/** The most that one turn reads: more than the longest line, so that there is always progress. */
export const chunkLength = longestLine + 16_384;

const lineFeed = 0x0a;
const nothing = Buffer.alloc(0);

/** How far one file has been read. The position stands at the start of a line, or inside one that is thrown away. */
export class Reading {
  /** Where the next turn begins. */
  position: Position;
  /** The first byte that no turn has seen yet; between the position and it stands an unfinished line. */
  seen: number;
  /** The first bytes of that line, at most as many as an anchor has: a file at whose start it stands has no other anchor. */
  unfinished: Buffer = nothing;
  /** So many bytes had been seen of the file that this is a copy of. */
  expected = 0;
  readonly #splitter: LineSplitter;
  readonly #take: TakeLine;
  /** Where the line that is being thrown away began. */
  #tooLong: Position | undefined;
  /** What goes on here. */
  #before: Reading | undefined;

  constructor(splitter: LineSplitter, take: TakeLine, position: Position) {
    this.#splitter = splitter;
    this.#take = take;
    this.position = position;
    this.seen = position.offset;
  }

  /** The position to start from another time: always at the start of a line. A hole at the file's start leads nowhere. */
  get lineStart(): Position {
    const { head, anchor, offset } = this.#tooLong ?? this.position;
    return isEmpty(head) && isEmpty(anchor) ? beginning : { head, anchor, offset };
  }

  /** Bytes of an unfinished line at the end. */
  get unterminated(): number {
    return this.seen - this.lineStart.offset;
  }

  /** They grow from turn to turn. */
  get counts(): Counts {
    const { lines, dropped: tooLong, cut } = this.#splitter;
    return { lines, tooLong, cut };
  }

  /** Delivers the whole lines of `bytes`, which stand at the position; gives how many bytes are done with. */
  feed(bytes: Buffer): number {
    if (this.#before !== undefined && this.beginsCut) this.#splitter.restart(true);
    this.#before = undefined;
    const before = this.position;
    const used = this.#splitter.split(bytes, before.offset, this.#take);
    this.position = advance(before, bytes.subarray(0, used));
    this.seen = before.offset + bytes.length;
    this.unfinished = Buffer.from(bytes.subarray(used, used + anchorLength));
    if (!this.#splitter.dropping) {
      this.#tooLong = undefined;
    } else {
      const start = bytes.lastIndexOf(lineFeed) + 1;
      if (start > 0 || this.#tooLong === undefined)
        this.#tooLong = advance(before, bytes.subarray(0, start));
    }
    return used;
  }

  /** Goes on at another position, the start of a line, before anything was read. */
  skipTo(position: Position): void {
    this.position = position;
    this.seen = position.offset;
  }

  /** Nothing is delivered yet, and the first line will not be. */
  get beginsCut(): boolean {
    if (this.#before !== undefined) return this.#before.#endsCut || this.#before.beginsCut;
    return this.lineStart.offset === 0 && this.#splitter.half;
  }

  /** It ends within a line, or before the line that had been seen. */
  get #endsCut(): boolean {
    return this.unterminated > 0 || this.seen < this.expected;
  }

  /**
   * The file goes on where another one ends, which is read before: if that one ends within a line, the first line is dropped.
   * What comes first may be the other half of that line.
   */
  follow(before: Reading): void {
    this.#before = before;
  }

  /** Begins again at the file's start. If `cut`, half of a line was lost with the old content, and the first line is dropped. */
  restart(cut: boolean): void {
    this.#splitter.restart(cut);
    this.#before = undefined;
    this.#tooLong = undefined;
    this.position = beginning;
    this.seen = 0;
    this.expected = 0;
    this.unfinished = nothing;
  }
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
