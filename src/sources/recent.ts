/** Where in a long log the lines begin that can still matter: found by bisection, so that the rest need not be read. */
import type { Inode } from "./inode.ts";

/** A file, as far as a search needs it. */
export interface Searched {
  /** The offset of the first line that was not read yet. */
  readonly offset: number;
  /** Bytes behind it. */
  readonly length: number;
  /** Gives the bytes at an offset, fewer where the file ends. */
  readonly peek: (offset: number, length: number) => Buffer;
}

interface Matters {
  /** The moment of a line: ms since 1970; undefined if it does not tell. */
  readonly timeOf: (line: Buffer) => number | undefined;
  /** What is older does not matter: ms since 1970. */
  readonly since: number;
}

interface Options extends Matters {
  /** Called between two looks at the file. */
  readonly breathe: () => Promise<void>;
}

/** A few hundred lines: some host of several, or some minutes after a clock was wrong, do not speak for a whole log. */
const window = 65_536;

/** So many lines of it at most, however short they are: a look must not hold the loop. */
const mostLines = 2000;

/** Less is read faster than it is searched. Bytes. */
const least = 1_048_576;

/**
 * How far the order of the stamps may be off, in ms: clocks are set; programs (a chrooted Postfix, where the syslog daemon keeps
 * their stamps) and hosts log in zones of their own, which lie up to 26 hours apart; and a host sends what it could not for hours.
 */
const slack = 26 * 3_600_000;

const lineFeed = 0x0a;

/** Makes a file go on at the first line that can still matter; gives how many bytes are not read. */
export async function skipOld(inode: Inode, options: Options): Promise<number> {
  const { offset } = inode.reading.position;
  const peek = (at: number, length: number) => inode.peek(at, length);
  const start = await startOfRecent({ offset, length: inode.unread ?? 0, peek }, options);
  if (start > offset) inode.skipTo(start);
  return start - offset;
}

/**
 * Gives the offset of a line before which no line matters: that of the file, where the stamps do not tell more.
 * It rests on the order of the lines, and so skips only what stands before a whole window of lines that are too old.
 */
export async function startOfRecent(
  { offset, length, peek }: Searched,
  { breathe, ...matters }: Options,
): Promise<number> {
  let [start, end] = [offset, offset + length];
  while (end - start > least) {
    const middle = start + Math.floor((end - start) / 2);
    const bytes = peek(middle, window);
    const next = bytes.indexOf(lineFeed) + 1;
    if (next > 0 && isOld(bytes.subarray(next), matters)) start = middle + next;
    else end = middle;
    await breathe();
  }
  return start;
}

/** Whether every line that has a stamp is too old, and it is not just a few that have one. */
function isOld(bytes: Buffer, { timeOf, since }: Matters): boolean {
  let old = 0;
  let from = 0;
  for (let lines = 0; lines < mostLines; lines++) {
    const end = bytes.indexOf(lineFeed, from);
    if (end === -1) break;
    const at = timeOf(bytes.subarray(from, end));
    if (at !== undefined && at >= since - slack) return false;
    if (at !== undefined) old += end - from;
    from = end + 1;
  }
  return 4 * old >= window;
}
