/** Copies that were made of a log before it was truncated: which of them begin with the second half of a line. */
import type { Mark } from "../model.ts";
import type { Generation, Reading } from "./generation.ts";
import type { Found } from "./resume.ts";
import { unfinishedOf } from "./mark.ts";
import { isMarked, sameInode } from "./siblings.ts";
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
  if (youngest === undefined) await followTruncated(all, marks);
  else await followCopy(all.slice(found.length - 1), youngest, files);
  for (const [age, one] of all.entries()) {
    const mark = marks.find((any) => any.offset === 0 && isMarked(one, any));
    if (mark !== undefined && one.reading.position.offset === 0)
      await followHalf(all.slice(0, age + 1), mark);
  }
}

/** No mark leads anywhere: a file that one is of was truncated, and copied before it was again. */
async function followTruncated(all: readonly Generation[], marks: readonly Mark[]): Promise<void> {
  for (const mark of marks.filter(({ offset }) => offset > 0).toReversed()) {
    const index = all.findIndex((one) => isMarked(one, mark));
    if (index === -1) continue;
    if (unfinishedOf(mark).length > 0) all[0]?.reading.restart(true);
    await followEachOther(all.slice(0, index + 1));
    return;
  }
}

/** The mark leads to the first one: if that is a copy, what it was copied from comes behind it, truncated once or more. */
async function followCopy(
  all: readonly Generation[],
  mark: Mark,
  files: readonly Sibling[],
): Promise<void> {
  const [copy] = all;
  const original = files.find((one) => isMarked(one, mark));
  if (copy === undefined || original === undefined || isMarked(copy, mark)) return;
  copy.reading.expected = mark.offset + unfinishedOf(mark).length;
  await followEachOther(all.slice(0, 1 + all.findIndex((one) => sameInode(one, original))));
}

/** The mark is of the last one, whose first line had not ended: it ends there, or in a copy that was made of it, or nowhere. */
async function followHalf(all: readonly Generation[], mark: Mark): Promise<void> {
  const unfinished = unfinishedOf(mark);
  const starts = await Promise.all(all.map(startOf));
  const holder = starts.findLastIndex((start) =>
    start.subarray(0, unfinished.length).equals(unfinished),
  );
  if (mark.cut === true || holder === -1) all.at(-1)?.reading.restart(true);
  else if (unfinished.length > 0) await followEachOther(all.slice(holder));
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
