/** What survives a stop: grants with their end, how far the logs were read, and every table ever published. */
import { link, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { codeOf, PublishError, reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";
import { replaceFile } from "./replace.ts";
import { emptyState, restrictionsOf, stateOf, stateText, type State } from "./state-text.ts";

/** The file, in the state directory. */
const stateFileName = "state.jsonl";

/** The state file is there, and is not what popgate wrote. */
class DamageError extends Error {
  readonly text: string;

  constructor(text: string, cause: unknown) {
    super(reasonOf(cause));
    this.text = text;
  }
}

/**
 * Reads the state; a file that is missing gives the empty state.
 * @throws PublishError if the file cannot be read, DamageError if it is torn or foreign
 */
export async function readState(directory: string): Promise<State> {
  const file = join(directory, stateFileName);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return emptyState;
    throw new PublishError(`the state ${file} cannot be read: ${reasonOf(error)}`);
  }
  try {
    return await stateOf(text);
  } catch (error) {
    throw new DamageError(text, error);
  }
}

/**
 * Reads the state for somebody who will replace it. A damaged file is set aside and told; of it only that is taken
 * which restricts: the tables, so that they are emptied, who was revoked, and what was forgotten.
 * @throws PublishError if the file cannot be read
 */
export async function loadState(directory: string, clock: Clock, log: Log): Promise<State> {
  try {
    return await readState(directory);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const file = join(directory, stateFileName);
    const stamp = new Date(clock.now()).toISOString().replace(/[:.]/g, "-");
    const aside = `${file}.damaged-${stamp}`;
    // It stays in its place until the next save: should that never come, it is still known which tables there are.
    await link(file, aside).catch(() => {});
    log.warning("state damaged, set aside; grants come back from the logs", {
      file: aside,
      reason: error.message,
    });
    return restrictionsOf(error.text, (table) =>
      log.error("a former table is not known any more", { table: JSON.stringify(table) }),
    );
  }
}

/**
 * Replaces the state file by a whole new one, mode 0600.
 * @throws a system error if it cannot be written; then the old one stays
 */
export async function saveState(directory: string, state: State): Promise<void> {
  await replaceFile(join(directory, stateFileName), 0o600, stateText(state));
}
