/** A rotated log that was compressed: read once, from a position in its plain text to its end. */
import { closeSync, createReadStream } from "node:fs";
import type { ReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Gunzip } from "node:zlib";
import { chunkLength } from "./generation.ts";
import type { Generation, Reading, Turn } from "./generation.ts";
import type { OpenFile } from "./inode.ts";
import { advance, beginning, headLength } from "./mark.ts";
import type { Position } from "./mark.ts";

const nothing = Buffer.alloc(0);

/** A `.gz` file. Its offsets are those of the text in it. */
export class Archive implements Generation {
  readonly dev: number;
  readonly ino: number;
  readonly born: number;
  readonly reading: Reading;
  readonly #descriptor: number;
  #streams: readonly [ReadStream, Gunzip] | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;
  /** Text that was unpacked and not fed yet. */
  #rest: Buffer = nothing;
  #unfinished: Buffer = nothing;
  #ended = false;
  #closed = false;

  /** Takes over the descriptor, to close it. */
  constructor({ descriptor, stats }: OpenFile, reading: Reading) {
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.born = stats.birthtimeMs;
    this.#descriptor = descriptor;
    this.reading = reading;
  }

  /**
   * Unpacks up to the position where the reading begins, and says whether the text holds what stood before it.
   * Rejects with a system or zlib error.
   */
  async seek(): Promise<boolean> {
    const sought = this.reading.position;
    let at: Position = beginning;
    while (at.offset < sought.offset) {
      const chunk = await this.#next();
      if (chunk === undefined) return false;
      const skipped = chunk.subarray(0, sought.offset - at.offset);
      at = advance(at, skipped);
      this.#rest = chunk.subarray(skipped.length);
      if (!at.head.equals(sought.head.subarray(0, at.head.length))) return false;
    }
    return at.head.equals(sought.head) && at.anchor.equals(sought.anchor);
  }

  /** Rejects with a system or zlib error. */
  async start(): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = (await this.#next()) ?? nothing;
    return this.#rest.subarray(0, headLength);
  }

  /** How long the text is, nobody knows before its end. */
  get unread(): number | undefined {
    return this.#ended ? 0 : undefined;
  }

  async read(): Promise<Turn> {
    const chunk = this.#rest.length > 0 ? this.#rest : await this.#next();
    this.#rest = nothing;
    if (chunk === undefined) {
      this.#ended = !this.#closed;
      return "end";
    }
    const bytes = Buffer.concat([this.#unfinished, chunk]);
    const used = this.reading.feed(bytes);
    this.#unfinished = bytes.subarray(used);
    return "more";
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#streams === undefined) closeSync(this.#descriptor);
    else for (const stream of this.#streams) stream.destroy();
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#closed) return undefined;
    this.#chunks ??= this.#unpack();
    const { value, done } = await this.#chunks.next();
    return done === true ? undefined : value;
  }

  #unpack(): AsyncIterator<Buffer> {
    // The stream closes the descriptor, but not at its end: an inode that is open is not given to another file.
    const packed = createReadStream("", { fd: this.#descriptor, start: 0, autoClose: false });
    const gunzip = createGunzip({ chunkSize: chunkLength });
    this.#streams = [packed, gunzip];
    // The errors of either end come out of the iterator.
    pipeline(packed, gunzip, () => undefined);
    return (gunzip as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }
}
