/** One open inode: read by position through its own descriptor, whatever happens to its name; `tail` tells when it grows. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { FSWatcher, Stats } from "node:fs";
import { Tail } from "tail";
import { reasonOf } from "../errors.ts";
import { chunkLength } from "./generation.ts";
import type { Generation, Reading, Turn } from "./generation.ts";
import { anchorLength, headLength } from "./mark.ts";
import type { Position } from "./mark.ts";

/**
 * `tail` bound to an inode instead of a name, and asked for one thing: that something happened there. Its own reading loses
 * and cuts lines, so both of its hooks lead elsewhere. An instance is never watched again: a new one is made.
 */
export class InodeTail extends Tail {
  readonly #hint: () => void;

  /** Throws if the kernel refuses to watch. `hint` is called for every event, and may be called without need. */
  constructor(descriptor: number, hint: () => void) {
    super(`/proc/self/fd/${String(descriptor)}`, { follow: false });
    this.#hint = hint;
    this.on("error", hint);
    // The package does not listen for the errors of its own watcher, which would end the process.
    (this as unknown as { watcher?: FSWatcher }).watcher?.on("error", hint);
  }

  /** Called by `tail`: the inode was written to, or truncated. */
  change(): void {
    this.#hint();
  }

  /** Called by `tail`: the inode was renamed or unlinked. */
  rename(): void {
    this.#hint();
  }
}

/** A regular file, open for reading. */
export interface OpenFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/**
 * Opens a regular file; never waits for the other end of a FIFO. Gives undefined if it is another kind of file.
 * @throws a system error
 */
export function openFile(path: string): OpenFile | undefined {
  // eslint-disable-next-line no-bitwise
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const descriptor = openSync(path, flags);
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile()) return { descriptor, stats };
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
  closeSync(descriptor);
  return undefined;
}

/** Says whether the file holds what stood before the position, and may hold more. */
export function holds({ descriptor }: OpenFile, { offset, anchor, head }: Position): boolean {
  return (
    fstatSync(descriptor).size >= offset &&
    bytesAt(descriptor, 0, head.length).equals(head) &&
    bytesAt(descriptor, offset - anchor.length, anchor.length).equals(anchor)
  );
}

/** The bytes at an offset, fewer where the file ends. Throws a system error. */
export function bytesAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
}

/** One for all inodes: a turn of reading is never interrupted. Holds the anchor, then the chunk. */
const scratch = Buffer.allocUnsafeSlow(anchorLength + chunkLength);

/** A plain file, read on as it grows. */
export class Inode implements Generation {
  readonly dev: number;
  readonly ino: number;
  readonly born: number;
  readonly reading: Reading;
  readonly #descriptor: number;
  #tail: InodeTail | undefined;
  #open = true;
  /** What was left to read when it was closed. */
  #left: number | undefined;
  /** The last change of which it is known that no older lines stand in a copy; while nothing has been read only. */
  #emptySince: number | undefined;

  /** Takes over the descriptor, to close it. */
  constructor({ descriptor, stats }: OpenFile, reading: Reading) {
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.born = stats.birthtimeMs;
    this.#descriptor = descriptor;
    this.reading = reading;
  }

  /** Calls `hint` whenever something happens to the inode. Throws if the kernel refuses to watch one more. */
  watch(hint: () => void): void {
    try {
      this.#tail ??= new InodeTail(this.#descriptor, hint);
    } catch (thrown) {
      // `tail` has put what the kernel said into a text of its own.
      const [, code, words] = /\b(E[A-Z]+): ([^,]+)/.exec(reasonOf(thrown)) ?? [];
      throw code === undefined ? thrown : new Error(`${words} (${code})`);
    }
  }

  /** By these copies of it are known. */
  start(): Buffer {
    return bytesAt(this.#descriptor, 0, headLength);
  }

  /** The bytes at an offset, fewer where the file ends. */
  peek(offset: number, length: number): Buffer {
    return bytesAt(this.#descriptor, offset, length);
  }

  /** Goes on at the offset of a line, and does not read what stands before it. */
  skipTo(offset: number): void {
    const head = this.peek(0, Math.min(headLength, offset));
    const length = Math.min(anchorLength, offset);
    this.reading.skipTo({ offset, anchor: this.peek(offset - length, length), head });
  }

  get unread(): number | undefined {
    if (!this.#open) return this.#left;
    try {
      return Math.max(0, fstatSync(this.#descriptor).size - this.reading.seen);
    } catch {
      return undefined;
    }
  }

  /** What was read last is read again with each chunk: if it has changed, the file was truncated and has regrown. */
  read(): Turn {
    const { reading } = this;
    const { size, mtimeMs } = fstatSync(this.#descriptor);
    if (size < reading.seen) return "truncated";
    if (reading.seen === 0 && mtimeMs !== this.#emptySince) {
      this.#emptySince = mtimeMs;
      return "first";
    }
    if (size === 0) return "end";
    const { seen, unfinished } = reading;
    const { offset, anchor } = reading.position;
    const start = offset - anchor.length;
    const length = readSync(this.#descriptor, scratch, 0, anchor.length + chunkLength, start);
    const known = anchor.length + unfinished.length;
    const isSame =
      length >= known &&
      anchor.compare(scratch, 0, anchor.length) === 0 &&
      unfinished.compare(scratch, anchor.length, known) === 0;
    if (!isSame) return "truncated";
    if (length === known) return "end";
    reading.feed(scratch.subarray(anchor.length, length));
    return reading.seen > seen && reading.seen < size ? "more" : "end";
  }

  /** What has been read does not stand there any more; see `Reading.restart`. */
  restart(cut: boolean): void {
    this.reading.restart(cut);
    this.lookAgain();
  }

  /** It is not known yet whether older lines stand in a copy. */
  lookAgain(): void {
    this.#emptySince = undefined;
  }

  close(): void {
    this.#tail?.unwatch();
    if (this.#open) {
      this.#left = this.unread;
      closeSync(this.#descriptor);
    }
    this.#open = false;
  }
}
