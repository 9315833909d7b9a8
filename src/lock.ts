/** A lock that dies with the process: flock(1) on a descriptor that stays open. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { exit, KnownError } from "./errors.ts";
import type { Run } from "./run.ts";

/** Held until released, or until the process ends, in whatever way. */
export interface Lock {
  release(): void;
}

/** How long flock(1) may wait, in seconds, before it says that somebody else holds the lock. */
const shortWait = 10;

/**
 * Takes the lock `file`, which is made if it is missing (mode 0600) and never removed; the holder's pid is written into it.
 * Without `wait` it answers at once, with it after at most ten seconds. Gives undefined if somebody else holds the lock.
 * @throws a system error if the file cannot be opened, KnownError if flock(1) is missing or fails
 */
export async function acquireLock(
  file: string,
  run: Run,
  { wait = false } = {},
): Promise<Lock | undefined> {
  const descriptor = openSync(file, "a+", 0o600);
  const taken = await run(
    ["flock", "-x", ...(wait ? ["-w", String(shortWait)] : ["-n"]), "-E", "200", "3"],
    {
      descriptors: [descriptor],
      deadline: (shortWait + 5) * 1000,
    },
  );
  if (taken.ok) {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${String(process.pid)}\n`);
    return { release: () => closeSync(descriptor) };
  }
  closeSync(descriptor);
  if (taken.reason.startsWith("exit status 200")) return undefined;
  throw new KnownError(`flock: ${taken.reason}; popgate needs flock(1) of util-linux`, exit.config);
}

/** Gives the pid that the lock's holder wrote, or undefined; it says who holds the lock only while somebody does. */
export function lockHolder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "latin1"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
