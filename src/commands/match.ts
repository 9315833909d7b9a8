/** `popgate match`: which lines of a log are logins; no policy, no map. */
import { isDefault, type Adapter } from "../adapters/adapter.ts";
import { adapters } from "../adapters/index.ts";
import { isLogin, Matcher } from "../adapters/matcher.ts";
import { reasonTexts, type Reason } from "../adapters/refusal.ts";
import { exit, UsageError, type ExitCode } from "../errors.ts";
import { hostZone } from "../host.ts";
import type { Line, Login } from "../model.ts";
import { readLines } from "../sources/reader.ts";
import type { Wants } from "../sources/source.ts";
import type { Outside } from "./command.ts";
import { adaptersOf } from "./pattern.ts";
import { shown } from "./shown.ts";

interface MatchOptions {
  readonly json?: boolean | undefined;
  readonly count?: boolean | undefined;
  readonly adapter?: readonly string[] | undefined;
  /** A file with adapters that are no part of popgate yet. */
  readonly pattern?: string | undefined;
}

/** What was met, over all files. */
interface Tally {
  lines: number;
  logins: number;
  readonly clients: Set<string>;
  readonly byAdapter: Map<string, number>;
  readonly refused: Map<Reason, { count: number; first: string }>;
}

/** Output is gathered up to this many characters before it is written. */
const batch = 65_536;

/**
 * Reads the files, or standard input for `-` or none, and prints their logins in order.
 * @throws UsageError for an adapter that there is not, ConfigError with the faults of those of a file, SourceError for a file
 * that cannot be read
 */
export async function match(
  files: readonly string[],
  options: MatchOptions,
  { clock, input, print, tell }: Outside,
): Promise<ExitCode> {
  const all = options.pattern === undefined ? adapters : await adaptersOf(options.pattern);
  const matcher = new Matcher(chosen(options.adapter, all), { zone: hostZone() });
  const wants: Wants = (bytes, from, end) => matcher.wants(bytes, from, end);
  const tally: Tally = {
    lines: 0,
    logins: 0,
    clients: new Set(),
    byAdapter: new Map(),
    refused: new Map(),
  };
  const notes: string[] = [];
  let pending = "";
  const put = (text: string) => {
    pending += text;
    if (pending.length < batch) return;
    print(pending);
    pending = "";
  };
  const now = clock.now();
  const show = options.count === true ? undefined : options.json === true ? asJson : asText;
  for (const file of files.length === 0 ? ["-"] : files) {
    const take = (line: Line) => {
      const found = matcher.match(line, now);
      if (found === undefined) return;
      if (!isLogin(found))
        return noteRefusal(tally, found.refused, `${file}:${String(line.number)}`);
      noteLogin(tally, found);
      if (show !== undefined) put(show(line.number, found));
    };
    const log = file === "-" ? input() : file;
    const { lines, dropped, unterminated } = await readLines(log, wants, take);
    tally.lines += lines;
    if (dropped > 0) notes.push(`${file}: ${counted(dropped, "line")} longer than 64 KiB`);
    if (unterminated) notes.push(`${file}: the last line has no end and was not read`);
  }
  print(pending);
  if (options.count === true) print(`${countOf(tally)}\n`);
  else if (options.json !== true) tell(summaryOf(tally, notes));
  return exit.ok;
}

function chosen(names: readonly string[] | undefined, all: readonly Adapter[]) {
  if (names === undefined) return all.filter(isDefault);
  const known = all.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`there is no adapter "${name}"; there are ${known.join(", ")}`);
    }
  }
  return all.filter(({ name }) => names.includes(name));
}

function noteLogin(tally: Tally, { adapter, client }: Login): void {
  tally.logins++;
  tally.clients.add(client);
  tally.byAdapter.set(adapter, (tally.byAdapter.get(adapter) ?? 0) + 1);
}

function noteRefusal({ refused }: Tally, reason: Reason, place: string): void {
  const noted = refused.get(reason);
  if (noted === undefined) refused.set(reason, { count: 1, first: place });
  else noted.count++;
}

function asJson(line: number, { at, adapter, service, user, client }: Login): string {
  const iso = new Date(at).toISOString();
  return `${JSON.stringify({ line, at: iso, adapter, service, user, client })}\n`;
}

function asText(line: number, { at, adapter, service, user, client }: Login): string {
  const iso = new Date(at).toISOString();
  const name = shown(user);
  return `${String(line).padStart(8)}  ${iso}  ${adapter}  ${service.padEnd(4)}  ${client.padEnd(15)}  ${name}\n`;
}

function countOf({ lines, logins, clients }: Tally): string {
  return JSON.stringify({ lines, logins, clients: clients.size });
}

function summaryOf({ lines, logins, clients, byAdapter, refused }: Tally, notes: string[]): string {
  const rows = [
    `${counted(lines, "line")}, ${counted(logins, "login")} of ${counted(clients.size, "client")}`,
    ...[...byAdapter].map(([name, count]) => `  ${name}: ${counted(count, "login")}`),
    ...[...refused].map(
      ([reason, { count, first }]) =>
        `  ${counted(count, "line")} refused: ${reasonTexts[reason]} (first at ${first})`,
    ),
    ...notes.map((one) => `  ${one}`),
  ];
  return `${rows.join("\n")}\n`;
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}
