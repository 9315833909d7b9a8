/** `popgate withdraw`: empties every table, configured or remembered, with or without a daemon. */
import { existsSync } from "node:fs";
import { actAsOwnerOf, prepareDirectory } from "../directory.ts";
import { exit, KnownError, PublishError, reasonOf, type ExitCode } from "../errors.ts";
import { acquireLock } from "../lock.ts";
import type { Log } from "../log.ts";
import type { MapSettings } from "../maps/map.ts";
import { emptyTables } from "../maps/emptying.ts";
import { defaultConfigFile } from "../paths.ts";
import { mapsOf, readConfig, stateDirOf, type ConfigOptions } from "../setup.ts";
import { stateLock } from "../state-lock.ts";
import { loadState, saveState } from "../state.ts";
import { requestWithdrawal } from "../withdrawal.ts";
import type { Outside } from "./command.ts";

interface WithdrawOptions extends ConfigOptions {
  readonly forget?: boolean | undefined;
  /** For a guard that looks now and then: a popgate that runs ages its tables itself. */
  readonly unlessRunning?: boolean | undefined;
}

/**
 * A daemon that runs on the state directory is told, and does it; otherwise it is done here. A config that cannot be read does
 * not keep the remembered tables open: they are emptied first, then the fault is told.
 * @throws KnownError if a table could not be emptied, or with the fault of the config
 */
export async function withdraw(options: WithdrawOptions, outside: Outside): Promise<ExitCode> {
  const log = outside.log(false);
  const { directory, tables, fault } = await scopeOf(options, outside);
  const failures = await emptyAll(directory, tables, options, outside, log);
  const [first] = failures;
  if (first !== undefined) {
    throw new KnownError(failures.map(({ message }) => message).join("\n"), first.exitCode);
  }
  if (fault !== undefined) throw fault;
  return exit.ok;
}

interface Scope {
  readonly directory: string;
  readonly tables: readonly MapSettings[];
  readonly fault?: KnownError;
}

async function scopeOf(options: WithdrawOptions, { run }: Outside): Promise<Scope> {
  const directory = stateDirOf(options);
  const { map, config } = options;
  // Without any config there are still the tables that the state remembers.
  if (
    map === undefined &&
    config === undefined &&
    (options.stateDir !== undefined || !existsSync(defaultConfigFile))
  ) {
    return { directory, tables: [] };
  }
  try {
    // Its adapters are not looked at: that takes seconds, and a table has to be emptied now.
    const maps = await mapsOf(
      readConfig(map === undefined ? { config } : { map, source: noLog }),
      run,
    );
    return { directory, tables: maps.map(({ settings }) => settings) };
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { directory, tables: [], fault: error };
  }
}

/** Nothing is read to empty a table. */
const noLog = ["/dev/null"];

async function emptyAll(
  directory: string,
  configured: readonly MapSettings[],
  { forget = false, unlessRunning = false }: WithdrawOptions,
  outside: Outside,
  log: Log,
): Promise<KnownError[]> {
  const { clock, run, tell } = outside;
  actAsOwnerOf(directory);
  await prepareDirectory(directory);
  // Another withdrawal may take us for the daemon.
  outside.signals.onWithdraw(() => {});
  const lock = await acquireLock(stateLock(directory), run).catch(unwritable(directory));
  if (lock === undefined && unlessRunning) {
    tell("popgate runs, nothing is withdrawn\n");
    return [];
  }
  if (lock === undefined) {
    const request = requestWithdrawal(directory, { forget }, clock);
    if (await request.catch(told(tell))) {
      tell(
        forget
          ? "withdrawn by the running popgate, all grants forgotten\n"
          : "withdrawn by the running popgate: its tables stay empty until it is restarted or reloaded\n",
      );
      return [];
    }
    tell("the running popgate does not answer; its tables are emptied without it\n");
  }
  try {
    const state = await loadState(directory, clock, log);
    const names = new Set(configured.map(({ table }) => table));
    const tables = [...configured, ...state.tables.filter(({ table }) => !names.has(table))];
    const failures = await emptyTables(tables, { clock, run, log });
    if (lock === undefined) {
      failures.push(
        new KnownError("the running popgate may publish again; stop it", exit.tempFail),
      );
      return failures;
    }
    const kept = forget ? { grants: [], forgotten: clock.now() } : {};
    await saveState(directory, { ...state, ...kept, tables }).catch(unwritable(directory));
    if (failures.length === 0) {
      tell(`${String(tables.length)} ${tables.length === 1 ? "table is" : "tables are"} empty\n`);
    }
    return failures;
  } finally {
    lock?.release();
  }
}

function unwritable(directory: string): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof KnownError) throw thrown;
    throw new PublishError(`state_dir ${directory}: ${reasonOf(thrown)}`);
  };
}

/** What keeps us from asking the daemon must not keep the tables from being emptied. */
function told(tell: (text: string) => void): (thrown: unknown) => false {
  return (thrown) => {
    tell(`the running popgate cannot be told: ${reasonOf(thrown)}\n`);
    return false;
  };
}
