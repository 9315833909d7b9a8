/** Finds the files to read on with, and from where: by content, since names and inodes are used again. */
import { codeOf } from "../errors.ts";
import type { Mark } from "../model.ts";
import { Archive } from "./archive.ts";
import type { Generation, Reading } from "./generation.ts";
import { holds, Inode, openFile } from "./inode.ts";
import type { OpenFile } from "./inode.ts";
import { beginAlike, beginning, fromMark } from "./mark.ts";
import type { Position } from "./mark.ts";
import { isMarked, sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

/** Starts to count and to deliver the lines of one file. */
export type Begin = (from: Position) => Reading;

/** A file that was found, and its place in the list that was searched. */
export interface Found {
  readonly index: number;
  readonly generation: Generation;
}

/** A disk that fails once may do so once only. */
const mostTries = 3;

/**
 * Opens a file at a position. Undefined if its name means another file by now, or if it does not hold what stood before
 * the position. Throws a system or zlib error if it is there and cannot be read.
 */
export async function openAt(
  file: Sibling,
  from: Position,
  begin: Begin,
): Promise<Generation | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await openOnce(file, from, begin);
    } catch (thrown) {
      if (tries === mostTries || !["EIO", "ESTALE"].includes(codeOf(thrown) ?? "")) throw thrown;
    }
  }
}

async function openOnce(
  file: Sibling,
  from: Position,
  begin: Begin,
): Promise<Generation | undefined> {
  const opened = openOrGone(file.path);
  if (opened === undefined) return undefined;
  const generation = file.packed
    ? new Archive(opened, begin(from))
    : new Inode(opened, begin(from));
  let right = false;
  try {
    right =
      sameInode(opened.stats, file) &&
      (generation instanceof Archive ? await generation.seek() : holds(opened, from));
  } finally {
    if (!right) generation.close();
  }
  return right ? generation : undefined;
}

/** Reads the first bytes of a file; undefined if its name means another file by now. Throws as `openAt` does. */
export async function startOf(file: Sibling, begin: Begin): Promise<Buffer | undefined> {
  const generation = await openAt(file, beginning, begin);
  try {
    return await generation?.start();
  } finally {
    generation?.close();
  }
}

function openOrGone(path: string): OpenFile | undefined {
  try {
    return openFile(path);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Opens the file that holds what was read up to the position, at that position; `was` is the inode that held it. */
export async function findHolder(
  position: Position,
  was: { readonly dev: number; readonly ino: number },
  files: readonly Sibling[],
  begin: Begin,
): Promise<Found | undefined> {
  if (position.offset === 0) return undefined;
  for (const [index, file] of likeliestFirst(was, files)) {
    try {
      const generation = await openAt(file, position, begin);
      if (generation !== undefined) return { index, generation };
    } catch (thrown) {
      // A file that cannot be read cannot be the one; if it should have been, the gap is told.
      if (isShortage(thrown)) throw thrown;
    }
  }
  return undefined;
}

/** The same inode, then the younger first: of a file and its copies the youngest holds what stands in the others. */
function likeliestFirst(
  was: { readonly dev: number; readonly ino: number },
  files: readonly Sibling[],
): readonly (readonly [number, Sibling])[] {
  // A compressed file has another inode, perhaps one that was used before.
  const rank = (file: Sibling) => (sameInode(file, was) && !file.packed ? 0 : 1);
  return [...files.entries()].toSorted(([i, a], [j, b]) => rank(a) - rank(b) || j - i);
}

/** What a checkpoint leads to. */
export interface Resumed {
  /** Those that are named by a mark, each at its position, in the order of the files. */
  readonly found: readonly (Found & { readonly mark: Mark })[];
  /** True if a file that had been read from is there no more. */
  readonly gap: boolean;
}

interface Settings {
  readonly begin: Begin;
  /** Wall clock, ms: what was written before it does not matter. */
  readonly since: number;
}

/** Looks for each mark's file. Of two marks that lead to one file the younger counts. */
export async function findMarked(
  marks: readonly Mark[],
  files: readonly Sibling[],
  settings: Settings,
): Promise<Resumed> {
  const found = new Map<number, Found & { readonly mark: Mark }>();
  let gap = false;
  try {
    for (const mark of marks.toReversed()) {
      const position = fromMark(mark);
      const older = files.slice(0, found.size === 0 ? 0 : Math.min(...found.keys()));
      const holder =
        position === undefined
          ? await findEmpty(mark, older, marks, settings)
          : await findHolder(position, mark, files, settings.begin);
      if (holder === undefined) gap ||= mark.offset !== 0;
      else if (found.has(holder.index)) holder.generation.close();
      else found.set(holder.index, { ...holder, mark });
    }
  } catch (thrown) {
    closeAll([...found.values()].map(({ generation }) => generation));
    throw thrown;
  }
  return { found: [...found.values()].toSorted((a, b) => a.index - b.index), gap };
}

/**
 * A file that was empty has no content to be known by: it is the one with its inode, or, if it was compressed since, the one
 * before the next that is known. `files` are those older than that one.
 */
async function findEmpty(
  mark: Mark,
  files: readonly Sibling[],
  marks: readonly Mark[],
  { begin, since }: Settings,
): Promise<Found | undefined> {
  if (mark.offset !== 0) return undefined;
  const same = files.findIndex((file) => isMarked(file, mark) && !file.packed);
  const index = same === -1 ? files.length - 1 : same;
  const file = files[index];
  if (file === undefined || (same === -1 && !(file.packed && file.modified >= since)))
    return undefined;
  // One that another mark is of has been read, though it may not hold all that had been read.
  const start = await startOf(file, begin).catch(unlessShort);
  const heads = marks.map(({ head }) => Buffer.from(head, "base64"));
  if (start !== undefined && heads.some((head) => beginAlike(head, start, "a line")))
    return undefined;
  const generation = await openAt(file, beginning, begin).catch(unlessShort);
  return generation && { index, generation };
}

/**
 * Opens files to read them whole. Undefined, with all of them closed again, if one of them is not where it was listed:
 * a rotation went on meanwhile. One that cannot be read is told and left out.
 * @throws a system error if the host is short of descriptors or memory
 */
export async function openWhole(
  files: readonly Sibling[],
  begin: Begin,
  unreadable: (file: Sibling, thrown: unknown) => void,
): Promise<readonly Generation[] | undefined> {
  const generations: Generation[] = [];
  for (const file of files) {
    try {
      const generation = await openAt(file, beginning, begin);
      if (generation === undefined) {
        closeAll(generations);
        return undefined;
      }
      generations.push(generation);
    } catch (thrown) {
      if (isShortage(thrown)) {
        closeAll(generations);
        throw thrown;
      }
      unreadable(file, thrown);
    }
  }
  return generations;
}

/** Says whether the host is short of something, which passes: nothing can be concluded from it. */
export function isShortage(thrown: unknown): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(thrown) ?? "");
}

/** What cannot be opened is not the file that is looked for, unless the host is short of something: then throws again. */
export function unlessShort(thrown: unknown): undefined {
  if (isShortage(thrown)) throw thrown;
  return undefined;
}

/** Closes them all. */
export function closeAll(generations: Iterable<Generation>): void {
  for (const generation of generations) generation.close();
}
