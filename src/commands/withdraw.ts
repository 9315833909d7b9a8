/** `popgate withdraw`: empties every table, configured or remembered, with or without a daemon. */
import { existsSync } from "node:fs";
import { ask } from "../control/ask.ts";
import { actAsOwnerOf, isAnothers, prepareDirectory } from "../directory.ts";
import { exit, KnownError, PublishError, reasonOf, type ExitCode } from "../errors.ts";
import { acquireLock } from "../lock.ts";
import type { Log } from "../log.ts";
import type { MapSettings } from "../maps/map.ts";
import { emptyTables } from "../maps/emptying.ts";
import { defaultConfigFile } from "../paths.ts";
import type { Places } from "../places.ts";
import { findPlaces, mapsOf, readConfig, type ConfigOptions } from "../setup.ts";
import { stateLock } from "../state-lock.ts";
import { loadState, saveState } from "../state.ts";
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
  const { places, tables, fault } = await scopeOf(options, outside);
  const failures = await emptyAll(places, tables, options, outside, log);
  const [first] = failures;
  if (first !== undefined) {
    throw new KnownError(failures.map(({ message }) => message).join("\n"), first.exitCode);
  }
  if (fault !== undefined) throw fault;
  return exit.ok;
}

interface Scope {
  readonly places: Places;
  readonly tables: readonly MapSettings[];
  readonly fault?: KnownError;
}

async function scopeOf(options: WithdrawOptions, { run }: Outside): Promise<Scope> {
  const places = findPlaces(options);
  const { map, config } = options;
  // Without any config there are still the tables that the state remembers.
  if (
    map === undefined &&
    config === undefined &&
    (options.stateDir !== undefined || !existsSync(defaultConfigFile))
  ) {
    return { places, tables: [] };
  }
  try {
    // Its adapters are not looked at: that takes seconds, and a table has to be emptied now.
    const maps = await mapsOf(
      readConfig(map === undefined ? { config } : { map, source: noLog }),
      run,
    );
    return { places, tables: maps.map(({ settings }) => settings) };
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { places, tables: [], fault: error };
  }
}

/** Nothing is read to empty a table. */
const noLog = ["/dev/null"];

async function emptyAll(
  places: Places,
  configured: readonly MapSettings[],
  { forget = false, unlessRunning = false }: WithdrawOptions,
  outside: Outside,
  log: Log,
): Promise<KnownError[]> {
  const { clock, run, tell } = outside;
  const { stateDir: directory, controlSocket } = places;
  actAsOwnerOf(directory);
  if (isAnothers(directory)) return askOnly(places, { forget, unlessRunning }, outside);
  await prepareDirectory(directory);
  const lock = await acquireLock(stateLock(directory), run).catch(unwritable(directory));
  if (lock === undefined && unlessRunning) {
    tell(leftAlone);
    return [];
  }
  if (lock === undefined) {
    if (await askedTo(forget, controlSocket, outside)) {
      tell(doneFor(forget));
      return [];
    }
    tell("its tables are emptied without it\n");
  }
  try {
    const state = await loadState(directory, clock, log);
    const names = new Set(configured.map(({ table }) => table));
    const former = state.tables.filter(({ table }) => !names.has(table));
    // The configured ones last: a former one may share its file with one of them, in another type.
    const first = await emptyTables(former, { clock, run, log });
    const second = await emptyTables(configured, { clock, run, log });
    const failures = [...first.failures, ...second.failures];
    const tables = [...second.tables, ...first.tables];
    if (lock === undefined) {
      failures.push(
        new KnownError("the running popgate may publish again; stop it", exit.tempFail),
      );
      return failures;
    }
    const kept = forget ? { grants: [], forgotten: clock.now() + 1 } : {};
    await saveState(directory, { ...state, ...kept, tables }).catch(unwritable(directory));
    if (failures.length === 0) {
      tell(`${String(tables.length)} ${tables.length === 1 ? "table is" : "tables are"} empty\n`);
    }
    return failures;
  } finally {
    lock?.release();
  }
}

const leftAlone = "popgate runs, nothing is withdrawn\n";

function doneFor(forget: boolean): string {
  return forget
    ? "withdrawn by the running popgate, all grants forgotten\n"
    : "withdrawn by the running popgate: its tables stay empty until it is restarted or reloaded\n";
}

/** For who may not write there, as a member of control.group: the running popgate may do it for him. */
async function askOnly(
  { stateDir, controlSocket }: Places,
  { forget, unlessRunning }: { readonly forget: boolean; readonly unlessRunning: boolean },
  { clock, tell }: Outside,
): Promise<KnownError[]> {
  const question = unlessRunning ? ({ method: "GET", path: "/status" } as const) : orderOf(forget);
  const reply = await ask(controlSocket, question, clock);
  if (reply === undefined) {
    throw new PublishError(
      `nobody answers at ${controlSocket}, and ${stateDir} is another user's: without a running popgate only he, or root, can withdraw`,
    );
  }
  if (!reply.ok) throw new KnownError(await reply.text(), exit.tempFail);
  tell(unlessRunning ? leftAlone : doneFor(forget));
  return [];
}

function unwritable(directory: string): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof KnownError) throw thrown;
    throw new PublishError(`state_dir ${directory}: ${reasonOf(thrown)}`);
  };
}

/** Milliseconds that a daemon may take to withdraw: a table is built in far less. */
const patience = 15_000;

function orderOf(forget: boolean) {
  return { method: "POST", path: "/withdrawals", body: { forget }, patience } as const;
}

/** What keeps the daemon from doing it must not keep the tables from being emptied. */
async function askedTo(
  forget: boolean,
  socket: string,
  { clock, tell }: Outside,
): Promise<boolean> {
  try {
    const reply = await ask(socket, orderOf(forget), clock);
    if (reply?.ok === true) return true;
    const reason = reply === undefined ? "nobody answers" : await reply.text();
    tell(`the running popgate did not withdraw: ${reason}\n`);
  } catch (error) {
    tell(`the running popgate cannot be told: ${reasonOf(error)}\n`);
  }
  return false;
}
