/** What the name of a log means at the moment. */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { reasonOf, SourceError } from "../errors.ts";
import { siblingOf } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

/** What may be wrong with a log. */
export type Trouble = "log missing" | "log unreadable" | "log is not a file" | "journal unreadable";

/** A file, or what is wrong, with the reason in words where there is more to say. */
export type Named =
  | { readonly file: Sibling }
  | { readonly file: undefined; readonly trouble: Trouble; readonly reason?: string };

/** Looks at a name, without opening anything. */
export function lookAt(path: string): Named {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { file: undefined, trouble: "log missing" };
    if (stats.isFile()) return { file: siblingOf(path, stats) };
    return { file: undefined, trouble: "log is not a file", reason: kindOf(stats) };
  } catch (thrown) {
    return { file: undefined, trouble: "log unreadable", reason: reasonOf(thrown) };
  }
}

/**
 * Makes sure that a path can be a log: it is a file, or it is missing or out of reach and may become one.
 * @throws SourceError
 */
export function requireLog(path: string): void {
  const named = lookAt(path);
  if (named.file === undefined && named.trouble === "log is not a file") {
    throw new SourceError(`${path}: is ${named.reason ?? "no file"}, not a log`);
  }
}

/** The inode that a path leads to, in a form to compare; undefined if it leads nowhere. */
export function inodeNamed(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && `${String(stats.dev)}:${String(stats.ino)}`;
  } catch {
    return undefined;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
