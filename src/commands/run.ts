/** `popgate run`: the daemon, in the foreground. */
import { openAuditFile } from "../audit/file.ts";
import { Recorder } from "../audit/recorder.ts";
import { summaryOf } from "../control/health.ts";
import { Listeners } from "../control/listeners.ts";
import { Metrics } from "../control/metrics.ts";
import { Daemon } from "../daemon.ts";
import { exit, KnownError, reasonOf, type ExitCode } from "../errors.ts";
import { hostZone, ownAddresses } from "../host.ts";
import { Notifier } from "../notify.ts";
import { actAsOwnerOf, prepareDirectory } from "../directory.ts";
import { checkMaps } from "../maps/check.ts";
import { Reloads } from "../reloads.ts";
import { requireLog } from "../sources/named.ts";
import { isPattern } from "../sources/settings.ts";
import {
  completeSetup,
  readConfig,
  requireSameState,
  type ConfigOptions,
  type Setup,
} from "../setup.ts";
import type { Outside } from "./command.ts";

interface RunOptions extends ConfigOptions {
  readonly logJson?: boolean | undefined;
}

/**
 * Runs until it is told to stop.
 * @throws KnownError for what makes a start impossible, or if a table could not be emptied at the end
 */
export async function run(options: RunOptions, outside: Outside): Promise<ExitCode> {
  const { clock, signals } = outside;
  const log = outside.log(options.logJson ?? false);
  let stateDir: string | undefined;
  const load = async (): Promise<Setup> => {
    const config = readConfig(options);
    // Once: whoever it has become, it must be able to empty the tables that it filled.
    if (stateDir === undefined) actAsOwnerOf(config.state_dir);
    else requireSameState(stateDir, config);
    stateDir = config.state_dir;
    const setup = await completeSetup(config, outside.run);
    for (const source of config.source) {
      if (source.type === "file" && !isPattern(source.path)) requireLog(source.path);
    }
    await prepareDirectory(config.state_dir);
    await checkMaps(setup.maps, outside.run, log);
    return setup;
  };
  let end = () => {};
  const stopped = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
    signals.onStop(end);
  });
  const notifier = new Notifier({ ...outside, log });
  notifier.starting();
  const setup = await Promise.race([load(), stopped]);
  if (setup === undefined) {
    throw new KnownError("stopped before it started; run `popgate withdraw`", exit.tempFail);
  }
  const { run: runProgram, spawn, input } = outside;
  const zone = hostZone();
  const metrics = new Metrics();
  const audit = new Recorder({ clock, log, open: openAuditFile });
  audit.configure(setup.config.audit);
  audit.record({ event: "started" });
  const parts = {
    clock,
    log,
    run: runProgram,
    spawn,
    ownAddresses,
    zone,
    input,
    ended: end,
    published: metrics.published,
    audit,
  };
  const daemon = new Daemon(parts, setup);
  const life = {
    beat: () => daemon.beat(),
    summary: () => summaryOf(daemon.control.status()),
  };

  const reloadNow = async (withdrawals: number): Promise<void> => {
    notifier.reloading();
    try {
      const fresh = await load();
      audit.configure(fresh.config.audit);
      audit.record({ event: "reloaded" });
      await daemon.reload(fresh, withdrawals);
      await listeners.open(fresh.config);
    } finally {
      notifier.ready(life);
    }
  };
  const refused = (error: unknown) =>
    log.error("reload refused, the running config stays", { reason: reasonOf(error) });
  // Nobody can ask before it has started to start.
  let reload = (): Promise<void> => Promise.reject(new Error("a reload before the start"));
  const listeners = new Listeners({
    log,
    run: runProgram,
    control: {
      ...daemon.control,
      reload: () => reload(),
      metrics: () => metrics.text(daemon.control.status()),
    },
  });
  const owned = async () => {
    // Not before: another popgate may write it.
    audit.start();
    await listeners.open(setup.config);
  };
  const started = daemon.start(owned).then(() => notifier.ready(life));
  const reloads = new Reloads(started, reloadNow, refused);
  reload = () => {
    // Whatever becomes of the config: its file may have been rotated.
    audit.reopen();
    return reloads.ask(daemon.withdrawals);
  };
  signals.onReload(() => void reload().catch(() => {}));

  try {
    await Promise.race([started, stopped]);
    await stopped;
  } finally {
    const told = notifier.stopping();
    await listeners.close();
    try {
      await daemon.stop();
    } finally {
      audit.record({ event: "stopped" });
      await audit.stop();
    }
    await told;
  }
  log.info("stopped, the tables are empty");
  return exit.ok;
}
