/** How a command asks the popgate that runs, if one does. */
import { ask, type Reply } from "../control/ask.ts";
import { exit, KnownError, reasonOf } from "../errors.ts";
import { isLocked } from "../lock.ts";
import type { Places } from "../places.ts";
import { findPlaces, type ConfigOptions } from "../setup.ts";
import { stateLock } from "../state-lock.ts";
import type { Outside } from "./command.ts";

type Question = Parameters<typeof ask>[1];

/**
 * Gives what the running popgate answers.
 * @throws KnownError if none runs, or it says no
 */
export async function askRunning(
  options: ConfigOptions,
  question: Question,
  outside: Outside,
): Promise<Reply> {
  const places = findPlaces(options);
  const reply = await ask(places.controlSocket, question, outside.clock);
  if (reply === undefined) throw new KnownError(await silence(places, outside), exit.tempFail);
  if (!reply.ok) throw new KnownError(await reply.text(), reply.exitCode);
  return reply;
}

/**
 * Says why nobody answers.
 * @throws KnownError if that cannot be told, since the lock is closed to us
 */
export async function silence(
  { stateDir, controlSocket }: Places,
  { run }: Outside,
): Promise<string> {
  const lock = stateLock(stateDir);
  const locked = await isLocked(lock, run).catch((error: unknown) => {
    if (error instanceof KnownError) throw error;
    throw new KnownError(
      `whether popgate runs cannot be told: ${lock}: ${reasonOf(error)}; ask as root, or as its user`,
      exit.tempFail,
    );
  });
  return locked
    ? `popgate runs, and does not answer at ${controlSocket}; its log says why`
    : "popgate does not run";
}

/** The answer to a question that is answered by one object. What a popgate of the same host says is not doubted. */
export async function answerOf<T>(reply: Reply): Promise<T> {
  return JSON.parse(await reply.text()) as T;
}
