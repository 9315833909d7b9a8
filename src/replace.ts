/** Replaces a file by a whole new one: readers see the old or the new, and so does the disk after a power cut. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes the parts aside under `.new`, makes them durable and renames them over `file`. Only one writer at a time may replace a file.
 * @throws a system error; then the old file stays as it was
 */
export async function replaceFile(
  file: string,
  mode: number,
  parts: Iterable<string>,
): Promise<void> {
  const aside = `${file}.new`;
  await rm(aside, { force: true });
  try {
    const handle = await open(aside, "wx", mode);
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncDirectory(dirname(file));
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
