/** The names and the order of a log's rotated generations. Pure. */

/** What the name of a rotated file says: a number, the higher the older, or a date; and whether it is compressed. */
export interface Rotated {
  readonly number: number | undefined;
  /** The digits of the date. */
  readonly date: string | undefined;
  readonly packed: boolean;
}

/** A rotated file with the time of its last change, wall clock in ms. */
interface Aged extends Rotated {
  readonly modified: number;
}

const number = String.raw`\.(\d{1,5})(\.gz)?$`;
const date = String.raw`[-._](\d{4}-?\d{2}-?\d{2}(?:[-_.T]?\d+)*)(\.gz)?$`;
const numbered = new RegExp(`^${number}`);
const dated = new RegExp(`^${date}`);
const rotated = new RegExp(`(?:${number}|${date})`);

/** Reads `name` as a rotated form of the log `base` (`.1`, `-20261123`, each with or without `.gz`); undefined if it is none. */
export function rotatedForm(base: string, name: string): Rotated | undefined {
  if (!name.startsWith(base)) return undefined;
  const suffix = name.slice(base.length);
  const byNumber = numbered.exec(suffix);
  if (byNumber !== null)
    return { number: Number(byNumber[1]), date: undefined, packed: byNumber[2] !== undefined };
  const byDate = dated.exec(suffix);
  if (byDate === null) return undefined;
  return {
    number: undefined,
    date: byDate[1]?.replace(/\D/g, ""),
    packed: byDate[2] !== undefined,
  };
}

/** The path of the log that a path would be a rotated form of; undefined if it has no such form. */
export function stemOf(path: string): string | undefined {
  const found = rotated.exec(path);
  return found === null ? undefined : path.slice(0, found.index);
}

/** Sorts the rotated files of one log, the oldest first: by number, by date, or, where both are in use, by last change. */
export function oldestFirst<T extends Aged>(files: readonly T[]): T[] {
  if (files.every(({ number }) => number !== undefined))
    return files.toSorted((a, b) => (b.number ?? 0) - (a.number ?? 0));
  if (files.every(({ date }) => date !== undefined))
    return files.toSorted((a, b) => ((a.date ?? "") < (b.date ?? "") ? -1 : 1));
  return files.toSorted((a, b) => a.modified - b.modified);
}
