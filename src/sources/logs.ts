/** Which files to read, and in which order, where somebody names a directory or wants a log with all its rotated generations. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { rotatedForm, stemOf } from "./rotation.ts";
import { siblingsOf } from "./siblings.ts";

/** Compressed by programs that cannot be had here. */
export const packed = /\.(?:bz2|xz|zst|lz4|Z)$/;
/** Left behind by editors. */
const leftBehind = /\.(?:bak|swp|swx|tmp)$|~$/;

/** Gives the rotated generations of a log, the oldest first, and then the log itself; those of each log of a directory. */
export function withRotated(path: string): string[] {
  if (!isDirectory(path)) return [...siblingsOf(path).map((sibling) => sibling.path), path];
  const paths = readdirSync(path)
    .filter((name) => !packed.test(name) && !leftBehind.test(name))
    .map((name) => join(path, name))
    .filter((each) => isFile(each));
  const logs = [...new Set(paths.map((each) => stemOf(each) ?? each))].toSorted((a, b) =>
    a < b ? -1 : 1,
  );
  return logs.flatMap((log) => withRotated(log)).filter((each) => isFile(each));
}

/** Gives the rotated generations of a log that were compressed by a program that cannot be had here. */
export function packedOtherwise(path: string): string[] {
  const directory = dirname(path);
  const names = isDirectory(directory) ? readdirSync(directory) : [];
  return names
    .filter((name) => packed.test(name))
    .filter((name) => rotatedForm(basename(path), name.replace(packed, "")) !== undefined)
    .map((name) => join(directory, name));
}

/** Says whether a path leads to a directory. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
