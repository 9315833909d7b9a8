/** Copies that were made of a log before it was truncated: which of them begin with the second half of a line. */
import type { Mark } from "../model.ts";
import type { Generation, Reading } from "./generation.ts";
import type { Found } from "./resume.ts";
import { sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

const lineFeed = 0x0a;
const nothing = Buffer.alloc(0);

/** Copies of a file, the oldest first, are to be read after what was read of it itself. Says whether one of them goes on there. */
export async function linkCopies(
  copies: readonly Generation[],
  { reading }: Generation,
): Promise<boolean> {
  // Several copies may hold that line, or a part of it: the youngest goes on.
  for (const [index, copy] of [...copies.entries()].toReversed()) {
    if (!(await goesOnIn(copy, reading))) continue;
    copy.reading.expected = reading.seen;
    await followEachOther(copies.slice(index));
    return true;
  }
  copies[0]?.reading.restart(reading.beginsCut || reading.unterminated > 0);
  await followEachOther(copies);
  return false;
}

/** The first bytes of a file of which nothing has been read; none if they cannot be had, which its reading will tell. */
async function startOf(one: Generation): Promise<Buffer> {
  if (one.reading.position.offset > 0) return nothing;
  try {
    return await one.start();
  } catch {
    return nothing;
  }
}

/** A copy that was made while the first line was being written, and the next one, which holds that line. A hole tells nothing. */
function isBeginningOf(start: Buffer = nothing, next: Buffer = nothing): boolean {
  return (
    start.some((byte) => byte !== 0) &&
    !start.includes(lineFeed) &&
    next.subarray(0, start.length).equals(start)
  );
}

/** Whether a copy holds the line in which the reading of the file has ended. */
async function goesOnIn(copy: Generation, reading: Reading): Promise<boolean> {
  const { unfinished, lineStart } = reading;
  if (lineStart.offset > 0 || unfinished.length === 0) return copy.reading.position.offset > 0;
  return (await startOf(copy)).subarray(0, unfinished.length).equals(unfinished);
}

/** The same after a start: `found` are those of `all` that `marks` lead to, and `files` is what was searched for them. */
export async function linkFound(
  all: readonly Generation[],
  found: readonly (Found & { readonly mark: Mark })[],
  files: readonly Sibling[],
  marks: readonly Mark[],
): Promise<void> {
  const youngest = found.at(-1)?.mark;
  const live = all.at(-1);
  const isLive = (mark: Mark) => mark.offset > 0 && live !== undefined && sameInode(mark, live);
  if (youngest !== undefined) await followCopy(all.slice(found.length - 1), youngest, files);
  // What was read stands nowhere any more: the file that held it was truncated, and copied before it was again.
  else if (marks.some(isLive)) await followEachOther(all);
  for (const one of all) {
    const mark = marks.find((any) => sameInode(any, one));
    if (mark?.cut === true && one.reading.position.offset === 0) one.reading.restart(true);
  }
}

/** The mark leads to the first one: if that is a copy, what it was copied from comes behind it, truncated once or more. */
async function followCopy(
  all: readonly Generation[],
  mark: Mark,
  files: readonly Sibling[],
): Promise<void> {
  const [copy] = all;
  const file = files.find((one) => copy !== undefined && sameInode(one, copy));
  const original = files.find((one) => sameInode(one, mark));
  // An inode that is used again belongs to a file that is younger than the copy.
  if (file === undefined || original === undefined || original.born >= file.modified) return;
  await followEachOther(all.slice(0, 1 + all.findIndex((one) => sameInode(one, original))));
}

/** They are copies of one file, and last perhaps that file itself, which was truncated after each of them. */
async function followEachOther(generations: readonly Generation[]): Promise<void> {
  const starts = await Promise.all(generations.map(startOf));
  const chain = generations.filter((_, age) => !isBeginningOf(starts[age], starts[age + 1]));
  for (const [index, { reading }] of chain.slice(1).entries()) {
    const before = chain[index]?.reading;
    if (before !== undefined && !reading.beginsCut) reading.follow(before);
  }
}
