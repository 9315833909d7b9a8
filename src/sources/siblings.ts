/** Lists the rotated generations that stand beside a log. */
import { readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { codeOf } from "../errors.ts";
import type { Mark } from "../model.ts";
import { oldestFirst, rotatedForm } from "./rotation.ts";

/** A file that held, or holds, the log's lines. */
export interface Sibling {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** Tells two files that had the same inode number, where the file system knows it: wall clock, ms. */
  readonly born: number;
  /** Last change of the content: wall clock, ms. */
  readonly modified: number;
  readonly packed: boolean;
}

/** A file, whatever it is called. */
interface FileNumbers {
  readonly dev: number;
  readonly ino: number;
}

/** Describes one file. */
export function siblingOf(path: string, stats: Stats, packed = false): Sibling {
  const { dev, ino, birthtimeMs: born, mtimeMs: modified } = stats;
  return { path, dev, ino, born, modified, packed };
}

/** Names the file itself, whatever it is called. */
export function identityOf({ dev, ino, born }: Sibling): string {
  return `${String(dev)}:${String(ino)}:${String(born)}`;
}

/** Says whether both are the same inode; reliable while one of them is open. */
export function sameInode(a: FileNumbers, b: FileNumbers): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** Says whether a file is the one that was read to a mark, and not a later one with the same inode number. */
export function isMarked(file: FileNumbers & { readonly born: number }, mark: Mark): boolean {
  return sameInode(file, mark) && (mark.born ?? file.born) === file.born;
}

const mostTries = 5;

/**
 * Gives the rotated generations of a log, the oldest first; of a link's target if the link has none of its own.
 * @throws a system error if their directory is there and cannot be listed
 */
export function siblingsOf(path: string): readonly Sibling[] {
  const own = settledList(path);
  if (own.length > 0) return own;
  const target = targetOf(path);
  return target === undefined || target === path ? own : settledList(target);
}

/** Where a link leads, also if nothing stands there at the moment. */
function targetOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return linkedTo(path);
  }
}

function linkedTo(path: string): string | undefined {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return undefined;
  }
}

/** A rotation renames files while they are being listed: two lists have to agree. */
function settledList(path: string): readonly Sibling[] {
  let list = listOnce(path);
  for (let tries = 0; tries < mostTries; tries++) {
    const again = listOnce(path);
    if (isSameList(list, again)) return again;
    list = again;
  }
  return list;
}

/** Says whether two lists hold the same files under the same names. */
export function isSameList(one: readonly Sibling[], other: readonly Sibling[]): boolean {
  return one.length === other.length && one.every((file, i) => isSame(file, other[i]));
}

function isSame(one: Sibling, other: Sibling | undefined): boolean {
  return other !== undefined && one.path === other.path && identityOf(one) === identityOf(other);
}

function listOnce(path: string): readonly Sibling[] {
  const directory = dirname(path);
  const base = basename(path);
  const files = namesIn(directory).flatMap((name) => {
    const form = rotatedForm(base, name);
    if (form === undefined) return [];
    const sibling = described(join(directory, name), form.packed);
    return sibling === undefined ? [] : [{ ...form, ...sibling }];
  });
  const plain = new Set(files.filter(({ packed }) => !packed).map((file) => file.path));
  // Both stand there while a file is being compressed: the plain one is whole.
  return oldestFirst(files.filter((file) => !file.packed || !plain.has(file.path.slice(0, -3))));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

function described(path: string, packed: boolean): Sibling | undefined {
  try {
    const stats = statSync(path);
    return stats.isFile() ? siblingOf(path, stats, packed) : undefined;
  } catch {
    return undefined;
  }
}
