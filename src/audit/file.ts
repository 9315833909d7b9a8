/** The audit's file: opened with care, and only ever appended to, in whole lines. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { inspectItself } from "../directory.ts";
import { codeOf, PublishError, reasonOf } from "../errors.ts";

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Its last byte is read, too. What is no file must not make the open wait. */
const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
/** User names and addresses are not for everybody; a group may be given them. */
const mode = 0o640;
const othersMayWrite = 0o022;

const lineFeed = 0x0a;

/** What became of lines that were to be appended. */
export interface Appended {
  /** How many are in the file, from the first on. */
  readonly lines: number;
  /** What kept the rest out of it, if anything did. */
  readonly error?: unknown;
}

/** The file, open. */
export interface AuditFile {
  /** Appends lines, each with its line feed. Never rejects. */
  append(lines: readonly string[]): Promise<Appended>;
  /** Whether it was removed: what is appended to it nobody will ever read. */
  isGone(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the file, and makes it with mode 0640 if it is missing.
 * @throws PublishError if it, or its directory, is not safe; a system error if it cannot be opened
 */
export async function openAuditFile(path: string): Promise<AuditFile> {
  const handle = await openSafely(path, flags | O_CREAT);
  try {
    return new OpenFile(handle, await endsInHalfALine(handle));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Makes sure that the file could be opened, and makes none.
 * @throws PublishError if not
 */
export async function inspectAuditFile(path: string): Promise<void> {
  try {
    await (await openSafely(path, flags)).close();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (error instanceof PublishError) throw error;
    throw new PublishError(`${path}: ${reasonOf(error)}`);
  }
}

async function openSafely(path: string, how: number): Promise<FileHandle> {
  await inspectItself(dirname(path));
  const handle = await open(path, how, mode).catch((error: unknown) => {
    if (codeOf(error) !== "ELOOP") throw error;
    throw new PublishError(`${path} is a link; name the file that it leads to`);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new PublishError(`${path} is not a file`);
    if ((stats.mode & othersMayWrite) !== 0) {
      throw new PublishError(`others can write to ${path}; chmod go-w it`);
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A crash or a full disk may have left one. */
async function endsInHalfALine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== lineFeed;
}

class OpenFile implements AuditFile {
  readonly #handle: FileHandle;
  /** What comes next must not become the other half of it. */
  #half: boolean;

  constructor(handle: FileHandle, half: boolean) {
    this.#handle = handle;
    this.#half = half;
  }

  async append(lines: readonly string[]): Promise<Appended> {
    const pieces = lines.map((line) => Buffer.from(line));
    const bytes = Buffer.concat([Buffer.from(this.#half ? "\n" : ""), ...pieces]);
    let written = 0;
    let error: unknown;
    try {
      while (written < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, written);
        if (bytesWritten === 0) throw new Error("nothing can be written to it");
        written += bytesWritten;
      }
    } catch (thrown) {
      error = thrown;
    }
    if (written === 0) return { lines: 0, error };
    let end = this.#half ? 1 : 0;
    const left = pieces.findIndex((piece) => (end += piece.length) > written);
    this.#half = bytes[written - 1] !== lineFeed;
    return { lines: left === -1 ? pieces.length : left, error };
  }

  async isGone(): Promise<boolean> {
    return (await this.#handle.stat()).nlink === 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
