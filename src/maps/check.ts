/** Whether the maps of a config can be written on this host. */
import { exit, failuresOf, KnownError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import type { AccessMap } from "./map.ts";
import { MapWriter } from "./writer.ts";

/**
 * Makes sure that every map can be written on this host. A trouble that may pass, such as a full disk, is left to the publisher.
 * @throws KnownError with the faults of all maps
 */
export async function checkMaps(maps: readonly AccessMap[], run: Run, log: Log): Promise<void> {
  const faults = (
    await failuresOf(maps.map((map) => new MapWriter({ map, run, log }).check()))
  ).filter(({ exitCode }) => exitCode !== exit.tempFail);
  const [first] = faults;
  if (first === undefined) return;
  throw new KnownError(faults.map(({ message }) => message).join("\n"), first.exitCode);
}
