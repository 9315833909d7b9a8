/** A file system that fails on demand. */
import type * as Fs from "node:fs";

/** What can fail: reading from a file, opening one, listing a directory. */
export type Fallible = "read" | "open" | "list";

/** Each is called with the path before it is done, and may throw. */
export const fault: Partial<Record<Fallible, (path: string) => void>> = {};

/** The functions that follow a log use, failing as `fault` says. */
export function faulty(fs: typeof Fs): Partial<typeof Fs> {
  return {
    ...fs,
    readSync: ((...parts: Parameters<typeof Fs.readSync>) => {
      fault.read?.(fs.readlinkSync(`/proc/self/fd/${String(parts[0])}`));
      return fs.readSync(...parts);
    }) as typeof Fs.readSync,
    openSync: (...parts: Parameters<typeof Fs.openSync>) => {
      fault.open?.(String(parts[0]));
      return fs.openSync(...parts);
    },
    readdirSync: ((path: string) => {
      fault.list?.(path);
      return fs.readdirSync(path);
    }) as typeof Fs.readdirSync,
  };
}

const words = {
  EIO: "i/o error, read",
  ESTALE: "stale file handle, read",
  EMFILE: "too many open files, open",
  EACCES: "permission denied, open",
} as const;

/** Fails for the paths that end so. */
export function failing(code: keyof typeof words, ...ends: string[]): (path: string) => void {
  return (path) => {
    if (ends.some((end) => path.endsWith(end)))
      throw Object.assign(new Error(`${code}: ${words[code]}`), { code, errno: -1 });
  };
}
