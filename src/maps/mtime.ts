/** The time of change of a new version, by which some MTAs know it. */
import { statSync, utimesSync } from "node:fs";

/**
 * Gives `made` a time of change that lies in a later second than that of `live`, which it is about to replace: OpenSMTPD opens
 * a database again only if its whole second is another one (table_db_lookup in table_db.c), so that a removal which follows an
 * addition within the same second would never be seen. Under many changes it may run ahead of the clock.
 */
export function makeLater(made: string, live: string): void {
  const former = secondOf(live);
  if (former === undefined || (secondOf(made) ?? 0) > former) return;
  utimesSync(made, former + 1, former + 1);
}

function secondOf(file: string): number | undefined {
  const status = statSync(file, { throwIfNoEntry: false });
  return status && Math.floor(status.mtimeMs / 1000);
}
