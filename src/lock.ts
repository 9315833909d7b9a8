/** A lock that dies with the process: flock(1) on a descriptor that stays open. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { exit, KnownError } from "./errors.ts";
import type { Run } from "./run.ts";

/** Held until released, or until the process ends, in whatever way. */
export interface Lock {
  /** False once somebody removed or replaced the lock file, so that others may lock another one under its name. */
  readonly stands: boolean;
  release(): void;
}

/**
 * A planted link must not make us write into another file. To read is enough for a lock, and does not keep the file system from
 * being mounted read-only for as long as it is held.
 */
const readAndMake = constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW;
const write = constants.O_WRONLY | constants.O_NOFOLLOW;

/**
 * Takes the lock `file`, which is made if it is missing (mode 0600) and never removed; the holder's pid is written into it.
 * Gives undefined if somebody else still holds it after `wait` seconds; the default lets a mere look (`isLocked`) pass.
 * @throws a system error if the file cannot be opened, KnownError if flock(1) is missing or fails
 */
export async function acquireLock(file: string, run: Run, wait = 1): Promise<Lock | undefined> {
  const descriptor = openSync(file, readAndMake, 0o600);
  if (!(await flock(descriptor, run, wait))) {
    closeSync(descriptor);
    return undefined;
  }
  writeHolder(file);
  return {
    get stands() {
      const found = lstatSync(file, { throwIfNoEntry: false });
      const { dev, ino } = fstatSync(descriptor);
      return found?.ino === ino && found.dev === dev;
    },
    release: () => closeSync(descriptor),
  };
}

/** The pid is for people: a full disk must not keep the lock from the one who is about to close the relay. */
function writeHolder(file: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, write);
    ftruncateSync(descriptor);
    writeSync(descriptor, `${String(process.pid)}\n`, 0);
  } catch {
    // The lock holds without it.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Whether somebody holds the lock `file` at this moment.
 * @throws a system error if the file is there and cannot be opened, KnownError if flock(1) is missing or fails
 */
export async function isLocked(file: string, run: Run): Promise<boolean> {
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, "r");
  const taken = await flock(descriptor, run, 0);
  closeSync(descriptor);
  return !taken;
}

/** The status with which flock(1) is told to say that somebody else holds the lock; no other of its ends has it. */
const held = 200;

async function flock(descriptor: number, run: Run, wait: number): Promise<boolean> {
  const argv = ["flock", "-x", "-w", String(wait), "-E", String(held), "3"] as const;
  const outcome = await run(argv, { descriptors: [descriptor], deadline: (wait + 5) * 1000 });
  if (outcome.ok) return true;
  if (outcome.reason.startsWith(`exit status ${String(held)}`)) return false;
  closeSync(descriptor);
  throw new KnownError(
    `flock: ${outcome.reason}; popgate needs flock(1) of util-linux`,
    exit.config,
  );
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
