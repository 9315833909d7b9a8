/** The directories that popgate keeps things in: there, ours, and closed to others. */
import { mkdir } from "node:fs/promises";
import { PublishError, reasonOf } from "./errors.ts";
import { inspectDirectory } from "./maps/files.ts";

/**
 * Makes the directory if it is missing (mode 0755: an MTA reads maps below it), and makes sure that nobody else can put files into it.
 * @throws PublishError
 */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new PublishError(`state_dir ${directory} cannot be made: ${reasonOf(error)}`);
  }
  await inspectOwnDirectory(directory);
}

/**
 * Makes sure that nobody but root and us can put files into the directory.
 * @throws PublishError
 */
export async function inspectOwnDirectory(directory: string): Promise<void> {
  await inspectDirectory(directory, process.geteuid?.() ?? 0);
}
