/** Who holds the state directory: one popgate at a time. */
import { join } from "node:path";
import { exit, KnownError, PublishError, reasonOf } from "./errors.ts";
import { acquireLock, lockHolder, type Lock } from "./lock.ts";
import type { Run } from "./run.ts";

/** The lock of a state directory: who holds it is the popgate that runs on it. */
export function stateLock(directory: string): string {
  return join(directory, "lock");
}

/**
 * Takes the state directory for this process.
 * @throws KnownError if another popgate has it, PublishError if it cannot be written
 */
export async function lockState(directory: string, run: Run): Promise<Lock> {
  const file = stateLock(directory);
  const lock = await acquireLock(file, run).catch((error: unknown) => {
    if (error instanceof KnownError) throw error;
    throw new PublishError(`state_dir ${directory} cannot be written: ${reasonOf(error)}`);
  });
  if (lock !== undefined) return lock;
  const holder = lockHolder(file);
  throw new KnownError(
    `another popgate${holder === undefined ? "" : ` (pid ${String(holder)})`} runs on ${directory}; stop it, or give this one a state_dir of its own`,
    exit.tempFail,
  );
}
