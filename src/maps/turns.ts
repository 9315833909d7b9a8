/** Who may write a map: one process from its first write on, and one write at a time within it. */
import { basename, dirname, join } from "node:path";
import { exit, PublishError } from "../errors.ts";
import { acquireLock, lockHolder, type Lock } from "../lock.ts";
import type { Run } from "../run.ts";

/** Seconds for another popgate to let go. */
const lockWait = 10;

/** A lock is held for the process, so the process is what knows of it: two tables may share a source. */
const places = new Map<string, Place>();

interface Place {
  lock: Lock | undefined;
  /** Settles when the last of those who came so far is done. */
  last: Promise<unknown>;
}

/** The lock of the map with this source. */
function lockFile(source: string): string {
  return join(dirname(source), `.${basename(source)}.popgate-lock`);
}

/**
 * Does `work` when it is its turn, under the map's lock. The lock is kept for the next time: taking it takes a process, and
 * whoever publishes wants to be quick.
 * @throws PublishError if another popgate keeps the lock; what `work` throws
 */
export function inTurn<T>(source: string, run: Run, work: () => Promise<T>): Promise<T> {
  const place = placeOf(source);
  const turn = place.last.then(async () => {
    if (place.lock?.stands !== true) {
      place.lock?.release();
      place.lock = undefined;
      place.lock = await taken(lockFile(source), run);
    }
    return work();
  });
  place.last = turn.catch(() => {});
  return turn;
}

/** Lets another process write this map, when those who came so far are done. */
export async function endTurns(source: string): Promise<void> {
  const place = placeOf(source);
  place.last = place.last.then(() => {
    place.lock?.release();
    place.lock = undefined;
  });
  await place.last;
}

function placeOf(source: string): Place {
  const known = places.get(source);
  if (known !== undefined) return known;
  const place = { lock: undefined, last: Promise.resolve() };
  places.set(source, place);
  return place;
}

async function taken(file: string, run: Run): Promise<Lock> {
  const lock = await acquireLock(file, run, lockWait);
  if (lock !== undefined) return lock;
  const holder = lockHolder(file);
  const who = holder === undefined ? "" : ` (pid ${String(holder)})`;
  throw new PublishError(`another popgate${who} is writing it`, exit.tempFail);
}
