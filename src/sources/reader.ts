/** Reads the lines of a file or a stream once, to its end. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { reasonOf, SourceError } from "../errors.ts";
import { LineSplitter, LineStream, longestLine } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import type { Deliver, Wants } from "./source.ts";

/** What a reading came to. */
export interface Totals {
  /** Lines that ended, the dropped ones among them. */
  readonly lines: number;
  /** Lines that were longer than 64 KiB. */
  readonly dropped: number;
  /** True if bytes without a line feed stood at the end; they are never delivered. */
  readonly unterminated: boolean;
}

const chunkLength = 524_288;

/**
 * Reads `input`, a path (unpacked if it ends in `.gz`) or a stream, and delivers each line that may matter, in order.
 * `progress` is told after each piece how many bytes of lines were read.
 * Resolves at the end; rejects with what `deliver` throws.
 * @throws SourceError if it cannot be read
 */
export async function readLines(
  input: string | Readable,
  wants: Wants,
  deliver: Deliver,
  progress: (bytes: number) => void = () => {},
): Promise<Totals> {
  const source = typeof input === "string" ? input : "-";
  const splitter = new LineSplitter(wants);
  const take: TakeLine = (bytes, offset, number) =>
    deliver({ source, bytes, offset, number, live: false });
  const unterminated =
    typeof input === "string"
      ? await readPath(input, splitter, take, progress)
      : await readStream(input, source, splitter, take, progress);
  return { lines: splitter.lines, dropped: splitter.dropped, unterminated };
}

async function readPath(
  path: string,
  splitter: LineSplitter,
  take: TakeLine,
  progress: (bytes: number) => void,
): Promise<boolean> {
  const file = await open(path).catch(refusedAs(path));
  try {
    if (!path.endsWith(".gz")) return await readHandle(file, path, splitter, take, progress);
    const unpacked = createGunzip({ chunkSize: chunkLength });
    // An error of either end comes out of the last one.
    pipeline(file.createReadStream({ autoClose: false }), unpacked, () => undefined);
    return await readStream(unpacked, path, splitter, take, progress);
  } finally {
    await file.close();
  }
}

/** In one buffer: the unfinished line, then the next chunk. */
async function readHandle(
  file: FileHandle,
  path: string,
  splitter: LineSplitter,
  take: TakeLine,
  progress: (bytes: number) => void,
): Promise<boolean> {
  const buffer = Buffer.allocUnsafeSlow(longestLine + chunkLength);
  let kept = 0;
  for (let offset = 0; ;) {
    const { bytesRead } = await file.read(buffer, kept, chunkLength, null).catch(refusedAs(path));
    if (bytesRead === 0) return kept > 0 || splitter.dropping;
    const bytes = buffer.subarray(0, kept + bytesRead);
    const used = splitter.split(bytes, offset, take);
    offset += used;
    progress(offset);
    kept = bytes.length - used;
    buffer.copyWithin(0, used, bytes.length);
  }
}

async function readStream(
  stream: Readable,
  source: string,
  splitter: LineSplitter,
  take: TakeLine,
  progress: (bytes: number) => void,
): Promise<boolean> {
  const lines = new LineStream(splitter, take);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  for (;;) {
    const { value, done } = await chunks.next().catch(refusedAs(source));
    if (done === true) return lines.unterminated;
    lines.push(typeof value === "string" ? Buffer.from(value) : value);
    progress(lines.offset);
  }
}

function refusedAs(source: string): (thrown: unknown) => never {
  return (thrown) => {
    throw new SourceError(`${source}: ${reasonOf(thrown)}`);
  };
}
