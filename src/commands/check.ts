/** `popgate check`: shows the config with every default, inspects the host, and says what to put into the MTA. */
import { existsSync, readFileSync } from "node:fs";
import { inspectAuditFile } from "../audit/file.ts";
import { enabled, type Adapter } from "../adapters/adapter.ts";
import { configText, type Config } from "../config.ts";
import { actAsOwnerOf, inspectDirectory } from "../directory.ts";
import { exit, KnownError, type ExitCode } from "../errors.ts";
import { postfixRestrictions, type PostfixRestrictions } from "../host.ts";
import type { AccessMap } from "../maps/map.ts";
import { asks, faultsOfPlace, refusesRelaying } from "../maps/restrictions.ts";
import { checkMaps } from "../maps/check.ts";
import type { Login } from "../model.ts";
import type { Run } from "../run.ts";
import { nameOf, type SourceSettings } from "../sources/settings.ts";
import { completeSetup, readConfig, type ConfigOptions } from "../setup.ts";
import { inspectJournal } from "./check-journal.ts";
import { inspectLogs } from "./check-log.ts";
import { inspectOpensmtpd } from "./check-opensmtpd.ts";
import type { Outside } from "./command.ts";
import { DryRun } from "./dry-run.ts";
import { fine, note, todo } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { loginsOfLastDay } from "./last-day.ts";

/**
 * Gives 0 if nothing is to be done, 1 if something is.
 * @throws ConfigError with all faults of the config
 */
export async function check(options: ConfigOptions, outside: Outside): Promise<ExitCode> {
  const { run, print } = outside;
  const config = readConfig(options);
  actAsOwnerOf(config.state_dir);
  const { maps, adapters } = await completeSetup(config, run);
  print(`${configText(config)}\n`);
  let allFine = true;
  const tell = (title: string, findings: readonly Finding[]) => {
    print(`${title}\n${findings.map(({ kind, text }) => `  ${kind}  ${text}\n`).join("")}`);
    allFine &&= findings.every(({ kind }) => kind !== "todo");
  };
  tell(`state ${config.state_dir}`, await inspectState(config.state_dir));
  if (config.audit !== undefined) {
    const fault = await faultOf(inspectAuditFile(config.audit));
    tell(`audit ${config.audit}`, [
      fault === undefined
        ? fine("its directory is ours, and nothing else has its name")
        : todo(fault),
    ]);
  }
  for (const source of config.source) {
    tell(`source ${nameOf(source)}`, await inspectSource(source, adapters, outside));
  }
  tell("the last day, as popgate would have taken it", await tryOut(config, adapters, outside));
  for (const map of maps) {
    tell(`map ${map.name} (${map.settings.mta})`, await inspectMap(map, outside));
  }
  return allFine ? exit.ok : exit.no;
}

async function tryOut(
  config: Config,
  all: readonly Adapter[],
  outside: Outside,
): Promise<Finding[]> {
  const logins: { readonly login: Login; readonly source: string }[] = [];
  for (const one of config.source) {
    const source = nameOf(one);
    for (const login of await loginsOfLastDay(one, enabled(all, one.adapters), outside)) {
      logins.push({ login, source });
    }
  }
  const dryRun = new DryRun(config);
  for (const { login, source } of logins.sort((a, b) => a.login.at - b.login.at)) {
    dryRun.take(login, source);
  }
  return dryRun.findings;
}

async function inspectState(directory: string): Promise<Finding[]> {
  if (!existsSync(directory)) return [todo("it is missing; `popgate withdraw` makes it")];
  const fault = await faultOf(inspectDirectory(directory));
  return [fault === undefined ? fine("ours, and closed to others") : todo(fault)];
}

async function inspectSource(
  source: SourceSettings,
  all: readonly Adapter[],
  outside: Outside,
): Promise<Finding[]> {
  const adapters = enabled(all, source.adapters);
  switch (source.type) {
    case "file":
      return inspectLogs(source, adapters, outside);
    case "journal":
      return inspectJournal(source, adapters, outside);
    case "stdin":
      return [note("what it will bring cannot be known")];
  }
}

async function inspectMap(map: AccessMap, { run, log }: Outside): Promise<Finding[]> {
  const fault = await faultOf(checkMaps([map], run, log(false)));
  if (fault !== undefined) return [todo(fault)];
  const live = map.index?.(map.source).live ?? map.source;
  if (!existsSync(live)) {
    // An MTA that is told of a table that is not there refuses all mail.
    return [
      todo("it does not exist: run `popgate withdraw`, which creates it empty, and check again"),
    ];
  }
  const findings = await inspectMta(map, run);
  if (findings.every(({ kind }) => kind === "fine")) return [fine("it exists"), ...findings];
  const lines = map.advice.map((line) => note(line.replace(/^/, "    ")));
  return [fine("it exists"), ...findings, note(adviceTitles[map.settings.mta]), ...lines];
}

const adviceTitles = {
  postfix: "main.cf needs, in this order:",
  sendmail: "sendmail.mc needs, with tabs between the columns of a rule:",
  exim: "Exim's configuration needs:",
  opensmtpd: "smtpd.conf needs, and smtpd a restart then:",
} as const;

async function inspectMta(map: AccessMap, run: Run): Promise<Finding[]> {
  const { name, source, settings } = map;
  switch (settings.mta) {
    case "postfix": {
      const restrictions = await postfixRestrictions(settings.config_dir, run);
      if (restrictions === undefined)
        return [todo("postconf is not on PATH: nobody asks this table here")];
      return postfixFindings(name, restrictions);
    }
    case "sendmail": {
      const file = ["/etc/mail/sendmail.cf", "/etc/sendmail.cf"].find(existsSync);
      if (file === undefined) return [todo("there is no sendmail.cf")];
      const asked = readFileSync(file, "latin1")
        .split("\n")
        .some((line) => line.startsWith("K") && line.trimEnd().endsWith(` ${source}`));
      return [asked ? fine(`${file} asks it`) : todo(`${file} does not ask it`)];
    }
    case "exim":
      return [note("whether Exim asks it was not looked at")];
    case "opensmtpd":
      return [await inspectOpensmtpd(map, run)];
  }
}

function postfixFindings(table: string, restrictions: PostfixRestrictions): Finding[] {
  const { relay, recipient, client, services } = restrictions;
  const findings = [
    ...faultsOfPlace(relay, table).map((fault) => todo(`smtpd_relay_restrictions: ${fault}`)),
    ...recipientFaults(recipient, table).map((fault) =>
      todo(`smtpd_recipient_restrictions: ${fault}`),
    ),
  ];
  if (findings.length === 0) findings.push(fine("Postfix asks it, in the right place"));
  if (asks(client, table)) {
    findings.push(note("smtpd_client_restrictions asks it too; that lets nobody relay"));
  }
  for (const [setting, value] of services) {
    const faults = setting.endsWith("smtpd_relay_restrictions")
      ? faultsOfPlace(value, table)
      : recipientFaults(value, table);
    findings.push(...faults.map((fault) => note(`master.cf: ${setting}: ${fault}`)));
  }
  return findings;
}

/** Recipient restrictions need the table only if they refuse relaying by themselves. */
function recipientFaults(value: string, table: string): string[] {
  return refusesRelaying(value) || asks(value, table) ? faultsOfPlace(value, table) : [];
}

async function faultOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof KnownError) return error.message;
    throw error;
  }
}
