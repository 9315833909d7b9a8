/** Looks at the host for what a config needs: daemons that run, where they log, who logs in, and the MTA. It changes nothing. */
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Adapter } from "./adapters/adapter.ts";
import { isLogin, Matcher } from "./adapters/matcher.ts";
import type { HostFacts, LogFacts, MtaFacts } from "./facts.ts";
import { hostZone, postfixRestrictions } from "./host.ts";
import type { Run } from "./run.ts";
import { lastLines } from "./sources/last-lines.ts";
import { routesOf, type Route } from "./syslog-routes.ts";

/** What is read of the host. Each gives nothing where there is nothing, or nothing that may be read. */
export interface Files {
  read(path: string): string | undefined;
  list(directory: string): readonly string[];
  /** The lines at the end of a log; undefined if it is not there. */
  lines(path: string): readonly Buffer[] | undefined;
}

/** Bytes of the end of a log that are looked at. */
const end = 1_048_576;

/** The host's own. */
export const hostFiles: Files = {
  read: (path) => tried(() => readFileSync(path, "latin1")),
  list: (directory) => tried(() => readdirSync(directory).sort()) ?? [],
  lines: (path) => tried(() => lastLines(path, end)),
};

interface SurveyParts {
  readonly run: Run;
  readonly files: Files;
  /** Those that are looked for in the logs. */
  readonly adapters: readonly Adapter[];
  /** Wall clock, ms since 1970. */
  readonly now: number;
}

/** Where distributions have their mail logs when no syslog daemon's config tells. */
const usualLogs = ["/var/log/mail.log", "/var/log/maillog", "/var/log/mail", "/var/log/mail.info"];

/** Gives what there is. */
export async function surveyHost(parts: SurveyParts): Promise<HostFacts> {
  const { run, files } = parts;
  const processes = processesOf(files);
  const dovecot = await dovecotLog(run);
  const routes = syslogRoutes(files, dovecot?.facility ?? "mail");
  const own = dovecot?.path === undefined ? [] : [dovecot.path];
  const paths = new Set([...own, ...routes.map(({ path }) => path), ...usualLogs]);
  return {
    host: hostname(),
    processes,
    dovecot,
    routes,
    logs: [...paths].flatMap((path) => logFacts(path, parts)),
    journal: files.list("/run/systemd/journal").includes("socket"),
    mtas: await mtasOf(parts, processes),
  };
}

function processesOf(files: Files): readonly string[] {
  const pids = files.list("/proc").filter((name) => /^\d+$/.test(name));
  const names = pids.map((pid) => files.read(join("/proc", pid, "comm"))?.trim() ?? "");
  return [...new Set(names)].filter((name) => name !== "").sort();
}

async function dovecotLog(run: Run): Promise<HostFacts["dovecot"]> {
  // 2.4 has the same names.
  const answer = await run(["doveconf", "-h", "log_path", "info_log_path", "syslog_facility"]);
  if (!answer.ok) return undefined;
  const [logPath = "", infoPath = "", facility = ""] = answer.stdout.split("\n");
  const path = infoPath === "" ? logPath : infoPath;
  const setting = infoPath === "" ? "log_path" : "info_log_path";
  const isFile = path.startsWith("/") && !path.startsWith("/dev/");
  return {
    setting,
    path: isFile ? path : undefined,
    toStderr: path.startsWith("/dev/"),
    facility: facility === "" ? "mail" : facility,
  };
}

function syslogRoutes(files: Files, facility: string): Route[] {
  const parts = files.list("/etc/rsyslog.d").filter((name) => name.endsWith(".conf"));
  const configs = [
    ...parts.map((name) => join("/etc/rsyslog.d", name)),
    "/etc/rsyslog.conf",
    "/etc/syslog.conf",
  ];
  return configs.flatMap((config) => routesOf(files.read(config) ?? "", config, facility));
}

function logFacts(path: string, { files, adapters, now }: SurveyParts): LogFacts[] {
  const lines = files.lines(path);
  if (lines === undefined) return [];
  const matcher = new Matcher(adapters, { zone: hostZone() });
  const logins = new Map<string, number>();
  for (const bytes of lines) {
    const found = matcher.match({ bytes, live: false }, now);
    if (isLogin(found)) logins.set(found.adapter, (logins.get(found.adapter) ?? 0) + 1);
  }
  return [{ path, lines: lines.length, logins }];
}

async function mtasOf(
  { run, files }: SurveyParts,
  processes: readonly string[],
): Promise<readonly MtaFacts[]> {
  const [postfix, exim, smtpctl] = await Promise.all([
    postfixFacts(run, processes),
    eximFacts(run, processes),
    run(["smtpctl"]),
  ]);
  const sendmail = ["/etc/mail/sendmail.cf", "/etc/sendmail.cf"].flatMap((path) => {
    const text = files.read(path);
    if (text === undefined) return [];
    const [, version] = /^DZ(\S+)/m.exec(text) ?? [];
    const runs = processes.some((name) => name.startsWith("sendmail"));
    return [{ mta: "sendmail", version, by: path, runs }];
  });
  // OpenSMTPD's own smtpd, not that of Postfix.
  const runs = processes.includes("smtpd") && postfix.every(({ runs }) => !runs);
  const opensmtpd = smtpctl.missing ? [] : [{ mta: "opensmtpd", by: "smtpctl", runs }];
  return [...postfix, ...sendmail.slice(0, 1), ...exim, ...opensmtpd];
}

async function postfixFacts(run: Run, processes: readonly string[]): Promise<MtaFacts[]> {
  const version = await run(["postconf", "-h", "mail_version"]);
  if (!version.ok) return [];
  const type = (await run(["postconf", "-h", "default_database_type"])).stdout;
  const restrictions = await postfixRestrictions(undefined, run);
  const runs = processes.includes("master") && processes.includes("qmgr");
  return [{ mta: "postfix", version: version.stdout, by: "postconf", runs, type, restrictions }];
}

async function eximFacts(run: Run, processes: readonly string[]): Promise<MtaFacts[]> {
  for (const name of ["exim4", "exim"]) {
    const { ok, stdout } = await run([name, "-bV"]);
    if (!ok) continue;
    const [, version] = /^Exim version (\S+)/.exec(stdout) ?? [];
    return [{ mta: "exim", version, by: `${name} -bV`, runs: processes.includes(name) }];
  }
  return [];
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Not there, or not for us: it is no fact.
    return undefined;
  }
}
