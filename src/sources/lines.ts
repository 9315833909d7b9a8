/** Bytes become lines: split on LF only, bounded, and only those delivered that may matter. Pure. */
import type { Wants } from "./source.ts";

/** Called for a line without its line feed; the bytes are a view that is valid during the call only. */
export type TakeLine = (bytes: Buffer, offset: number, number: number) => void;

/** The most bytes that a line may have, without its line feed and leading NULs. A longer one is dropped and counted. */
export const longestLine = 65_536;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits the bytes of one file, in order, chunk by chunk. Holds no bytes: what it has not used is given to it again.
 */
export class LineSplitter {
  /** Lines that ended, delivered or not. */
  lines = 0;
  /** Lines that were too long. */
  dropped = 0;
  /** Lines whose first half was gone. */
  cut = 0;
  readonly #wants: Wants;
  #dropping = false;
  /** What it throws away is the second half of a line. */
  half = false;

  constructor(wants: Wants) {
    this.#wants = wants;
  }

  /** True while it throws away everything up to the next line feed. */
  get dropping(): boolean {
    return this.#dropping;
  }

  /** Counts lines from 1 again. If `cut`, everything up to the next line feed is thrown away and counted as cut. */
  restart(cut: boolean): void {
    this.lines = 0;
    this.#dropping = cut;
    this.half = cut;
  }

  /**
   * Delivers the whole lines of `bytes`, the first of which stands at `offset` in its file, and gives the number of bytes
   * that are done with: the rest is an unfinished line of at most `longestLine` bytes, to be given again with what follows.
   */
  split(bytes: Buffer, offset: number, take: TakeLine): number {
    let from = this.#dropping ? this.#endDropping(bytes) : 0;
    for (let end = bytes.indexOf(lineFeed, from); end !== -1; end = bytes.indexOf(lineFeed, from)) {
      this.lines++;
      const start = afterNuls(bytes, from, end);
      if (end - start > longestLine) this.dropped++;
      else if (this.#wants(bytes, start, end)) this.#deliver(bytes, start, end, offset, take);
      from = end + 1;
    }
    from = afterNuls(bytes, from, bytes.length);
    if (bytes.length - from <= longestLine) return from;
    this.#dropping = true;
    return bytes.length;
  }

  #endDropping(bytes: Buffer): number {
    const end = bytes.indexOf(lineFeed);
    if (end === -1) return bytes.length;
    this.#dropping = false;
    this.lines++;
    if (this.half) this.cut++;
    else this.dropped++;
    this.half = false;
    return end + 1;
  }

  #deliver(bytes: Buffer, start: number, end: number, offset: number, take: TakeLine): void {
    const stop = end > start && bytes[end - 1] === carriageReturn ? end - 1 : end;
    take(bytes.subarray(start, stop), offset + start, this.lines);
  }
}

/** A writer without O_APPEND leaves a hole where its file was truncated: NULs that are no part of the line behind them. */
function afterNuls(bytes: Buffer, from: number, end: number): number {
  let start = from;
  while (start < end && bytes[start] === 0) start++;
  return start;
}

/** Splits a stream of chunks of any size: keeps the unfinished line, of at most `longestLine` bytes, until its rest comes. */
export class LineStream {
  readonly #splitter: LineSplitter;
  readonly #take: TakeLine;
  #unfinished = Buffer.alloc(0);
  /** How much of `#unfinished` is in use. */
  #length = 0;
  #offset: number;

  /** `offset` is where the first chunk stands in its file. */
  constructor(splitter: LineSplitter, take: TakeLine, offset = 0) {
    this.#splitter = splitter;
    this.#take = take;
    this.#offset = offset;
  }

  /** Bytes at the end that no line feed has ended yet; true also while a line that is too long goes on. */
  get unterminated(): boolean {
    return this.#length > 0 || this.#splitter.dropping;
  }

  /** Bytes of all lines that ended, and of those that are being thrown away. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Gives the unfinished line up, to be read by another one. Of a line that is being thrown away only that much is left that
   * it is too long for the other one, too.
   */
  takeUnfinished(): Buffer {
    const bytes = this.#splitter.dropping
      ? Buffer.alloc(longestLine + 1, " ")
      : Buffer.from(this.#unfinished.subarray(0, this.#length));
    this.#length = 0;
    return bytes;
  }

  /** Delivers the lines that end in this chunk. */
  push(chunk: Buffer): void {
    let from = 0;
    if (this.#length > 0) {
      const end = chunk.indexOf(lineFeed) + 1;
      from = end === 0 ? chunk.length : end;
      this.#keep(chunk.subarray(0, from));
      if (end === 0 && this.#length <= longestLine) return;
      this.#split(this.#unfinished.subarray(0, this.#length));
    }
    if (from < chunk.length) this.#split(chunk.subarray(from));
  }

  #split(bytes: Buffer): void {
    const used = this.#splitter.split(bytes, this.#offset, this.#take);
    this.#offset += used;
    this.#length = 0;
    this.#keep(bytes.subarray(used));
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#unfinished.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, 2 * length));
      this.#unfinished.copy(larger, 0, 0, this.#length);
      this.#unfinished = larger;
    }
    bytes.copy(this.#unfinished, this.#length);
    this.#length = length;
  }
}
