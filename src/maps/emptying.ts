/** How tables are emptied when it is the last thing that is done to them: by their tool, or else without it. */
import { inTime, type Clock } from "../clock.ts";
import { exit, failuresOf, KnownError, PublishError, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import { filesOf } from "./files.ts";
import type { AccessMap, MapSettings } from "./map.ts";
import { UnwritableTables } from "./unwritable.ts";
import { MapWriter } from "./writer.ts";

interface EmptyingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: Run;
}

/** Milliseconds that a tool may take to empty a table that nobody empties again. */
const patience = 5000;

/** What became of tables that were to be emptied. */
interface Emptied {
  readonly failures: readonly KnownError[];
  /** All but those of which nothing is left. */
  readonly tables: readonly MapSettings[];
}

/**
 * Empties these tables, and gives what kept any of them from it. A daemon that hangs with the lock of one, a tool that hangs,
 * fails or is gone, and a full disk do not, where an empty map is prepared.
 */
export async function emptyTables(
  tables: readonly MapSettings[],
  { clock, log, run }: EmptyingParts,
): Promise<Emptied> {
  const unwritable = new UnwritableTables(log, () => new Set(maps.flatMap(filesOf)));
  const maps = unwritable.sort(tables);
  const failures = await failuresOf(
    maps.map(async (map) => {
      const writer = new MapWriter({ map, run, log, clock });
      await emptied(map, writer, log, inTime(clock, patience, writer.write([]), hurry(map)));
      void writer.close();
    }),
  );
  failures.push(...(await failuresOf([(async () => unwritable.requireNone())()])));
  const left = [...maps.map(({ settings }) => settings), ...unwritable.settings];
  return { failures, tables: left };
}

/**
 * Waits for `work` to empty a map, and takes the last resort if it fails.
 * @throws PublishError with the reasons of both if that fails, too: the map is as it was
 */
export async function emptied(
  map: AccessMap,
  writer: MapWriter,
  log: Log,
  work: Promise<unknown>,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    try {
      await writer.resort();
    } catch (second) {
      const { message, exitCode } = error;
      const also = reasonOf(second).replace(`map ${map.name}: `, "");
      throw new PublishError(
        message.endsWith(also) ? message : `${message}; and the last resort failed: ${also}`,
        exitCode,
      );
    }
    log.error("map emptied by the last resort", { table: map.name, reason: error.message });
  }
}

/** Why the last resort is taken before a write has ended. */
export function hurry({ name }: AccessMap): PublishError {
  return new PublishError(`map ${name}: its tool hangs`, exit.tempFail);
}
