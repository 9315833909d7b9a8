/** One line of a log, looked up again. */
import { open } from "node:fs/promises";

/** Bytes: longer lines never grant. */
const longest = 8192;

/**
 * Gives the line that begins at this byte of the file, without its line feed; undefined if none does, or it cannot be read. The
 * file may have been rotated since: whoever asks must know the line again.
 */
export async function lineAt(file: string, offset: number): Promise<string | undefined> {
  try {
    const handle = await open(file, "r");
    try {
      // The byte before it ends the line before.
      const from = Math.max(0, offset - 1);
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(longest + 1),
        0,
        longest + 1,
        from,
      );
      if (offset > 0 && buffer[0] !== 0x0a) return undefined;
      const start = offset - from;
      const end = buffer.subarray(0, bytesRead).indexOf(0x0a, start);
      return end < 0 ? undefined : buffer.toString("utf8", start, end);
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
