/** What `popgate check` says of a log: whether it can be followed, who else writes to it, and what its last lines are. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import type { Adapter } from "../adapters/adapter.ts";
import { entryOf, formatOf } from "../adapters/entry.ts";
import { isLogin, Matcher } from "../adapters/matcher.ts";
import { reasonOf } from "../errors.ts";
import { hostZone, otherLogs } from "../host.ts";
import { isMountPoint } from "../sources/mounts.ts";
import { lastLines } from "../sources/last-lines.ts";
import { logsLike } from "../sources/pattern.ts";
import { isPattern, type FileSettings } from "../sources/settings.ts";
import type { Outside } from "./command.ts";
import { fine, note, todo } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { counted } from "./summary.ts";

/** Bytes of the end of a log that are looked at. */
const end = 262_144;

/** Looks at a log, or at all that fit a pattern; `adapters` are those that count in it. */
export async function inspectLogs(
  settings: FileSettings,
  adapters: readonly Adapter[],
  outside: Outside,
): Promise<Finding[]> {
  const { path } = settings;
  if (!isPattern(path)) return await inspectLog(path, settings, adapters, outside);
  let paths: readonly string[];
  try {
    paths = logsLike(path);
  } catch (error) {
    return [todo(`${reasonOf(error)}; popgate would wait`)];
  }
  if (paths.length === 0) return [todo("no log fits it yet; popgate would wait for one")];
  const findings: Finding[] = [];
  for (const each of paths) {
    const own = await inspectLog(each, settings, adapters, outside);
    findings.push(...own.map(({ kind, text }) => ({ kind, text: `${each}: ${text}` })));
  }
  return findings;
}

async function inspectLog(
  path: string,
  settings: FileSettings,
  adapters: readonly Adapter[],
  { clock, run }: Outside,
): Promise<Finding[]> {
  let mode: number;
  try {
    const status = statSync(path);
    if (!status.isFile()) return [todo("it is not a file")];
    accessSync(path, constants.R_OK);
    mode = status.mode;
  } catch (error) {
    const others = await otherLogs(existsSync, run);
    return [todo(`${reasonOf(error)}; popgate would wait for it`), ...others.map(note)];
  }
  const findings = [fine("readable")];
  if ((mode & 0o022) !== 0) {
    findings.push(todo("others can write to it, so they can forge logins; chmod go-w it"));
  }
  if (isMountPoint(path)) {
    findings.push(
      todo("it is mounted as a single file: a rotation is not seen here; mount its directory"),
    );
  }
  return [...findings, ...seen(lastLines(path, end), settings, adapters, clock.now())];
}

/** Says what lines there are, by what they begin with, and which logins. */
function seen(
  lines: readonly Buffer[],
  { zone = hostZone(), format }: FileSettings,
  adapters: readonly Adapter[],
  now: number,
): Finding[] {
  if (lines.length === 0) return [];
  const formats = new Map<string, number>();
  const logins = new Map<string, number>();
  const matcher = new Matcher(adapters, { zone, format });
  for (const bytes of lines) {
    const line = bytes.toString("latin1");
    const isKnown = entryOf(line, format) !== undefined;
    count(formats, (isKnown ? formatOf(line) : undefined) ?? "unknown");
    const found = matcher.match({ bytes, live: false }, now);
    if (isLogin(found)) count(logins, found.adapter);
  }
  const among = `its last ${counted(lines.length, "line")}`;
  if (formats.get("unknown") === lines.length) {
    const known = format === undefined ? "a log that popgate knows" : `the format "${format}"`;
    return [todo(`none of ${among} begins like ${known}`)];
  }
  const what = `${among} by their beginning: ${listed(formats)}`;
  return [
    note(what),
    logins.size === 0
      ? note(`no login is among them; \`popgate match\` tells which lines are nearly one`)
      : note(`logins among them: ${listed(logins)}`),
  ];
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([key, number]) => `${key} ${String(number)}`).join(", ");
}
