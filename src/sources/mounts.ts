/** Tells whether a log is mounted by itself, as into a container: then its name means the same file for ever. */
import { readFileSync, realpathSync } from "node:fs";

/** Gives the mount points of this process, from the text of its `mountinfo`, see proc(5). */
export function mountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split("\n")
    .flatMap((line) => line.split(" ").slice(4, 5))
    .map(unescaped);
}

/** Says whether a path, or what it links to, is a mount point; false where that cannot be known. */
export function isMountPoint(path: string): boolean {
  try {
    return mountPoints(readFileSync("/proc/self/mountinfo", "latin1")).includes(
      Buffer.from(realpathSync(path)).toString("latin1"),
    );
  } catch {
    return false;
  }
}

/** Blanks, tabs, line feeds and backslashes are written as `\` and three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
