/** The time of change of a new version, by which some MTAs know it. */
import { stat, utimes } from "node:fs/promises";
import { codeOf } from "../errors.ts";

/**
 * Gives `made` a time of change that lies in a later second than that of `live`, which it is about to replace: OpenSMTPD opens
 * a database again only if its whole second is another one (table_db_lookup in table_db.c), so that a removal which follows an
 * addition within the same second would never be seen. Under many changes it may run ahead of the clock.
 */
export async function makeLater(made: string, live: string): Promise<void> {
  const former = await secondOf(live);
  if (former === undefined || ((await secondOf(made)) ?? 0) > former) return;
  await utimes(made, former + 1, former + 1);
}

async function secondOf(file: string): Promise<number | undefined> {
  try {
    return Math.floor((await stat(file)).mtimeMs / 1000);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
