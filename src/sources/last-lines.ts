/** The whole lines at the end of a log. */
import { closeSync } from "node:fs";
import { bytesAt, openFile } from "./inode.ts";
import { LineSplitter } from "./lines.ts";

/**
 * Gives the lines that begin and end within so many bytes of a log's end, each without its line feed; none of what is no file.
 * @throws a system error
 */
export function lastLines(path: string, bytes: number): Buffer[] {
  const opened = openFile(path);
  if (opened === undefined) return [];
  const { descriptor, stats } = opened;
  try {
    const from = Math.max(0, stats.size - bytes);
    const splitter = new LineSplitter(() => true);
    // What stands there may be the second half of a line.
    if (from > 0) splitter.restart(true);
    const lines: Buffer[] = [];
    splitter.split(
      bytesAt(descriptor, from, stats.size - from),
      from,
      (line) => void lines.push(line),
    );
    return lines;
  } finally {
    closeSync(descriptor);
  }
}
