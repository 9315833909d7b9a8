/** `popgate match`: which lines of a log are logins, and which nearly; no policy, no map. */
import { enabled, type Adapter } from "../adapters/adapter.ts";
import { adapters } from "../adapters/index.ts";
import { isLogin, Matcher } from "../adapters/matcher.ts";
import { NearMisses } from "../adapters/near-miss.ts";
import { exit, UsageError, type ExitCode } from "../errors.ts";
import { hostZone } from "../host.ts";
import type { Line, Login } from "../model.ts";
import { isDirectory, withRotated } from "../sources/logs.ts";
import { readLines } from "../sources/reader.ts";
import type { Wants } from "../sources/source.ts";
import type { Outside } from "./command.ts";
import { explainLine } from "./explanation.ts";
import { Gauge } from "./gauge.ts";
import { shown } from "./shown.ts";
import { counted, Summary } from "./summary.ts";

interface MatchOptions {
  readonly json?: boolean | undefined;
  readonly count?: boolean | undefined;
  readonly adapter?: readonly string[] | undefined;
  /** A file with adapters that are no part of popgate yet. */
  readonly pattern?: string | undefined;
  /** Each log with its rotated generations. */
  readonly rotated?: boolean | undefined;
  /** The number of a line that is to be explained, and no other. */
  readonly explain?: string | undefined;
}

/** Output is gathered up to this many characters before it is written. */
const batch = 65_536;

/**
 * Reads the files, or standard input for `-` or none, and prints their logins in order; of a directory all logs with their
 * rotated generations.
 * @throws UsageError for an adapter or a line that there is not, ConfigError with the faults of the adapters of a file,
 * SourceError for a file that cannot be read
 */
export async function match(
  files: readonly string[],
  options: MatchOptions,
  outside: Outside,
): Promise<ExitCode> {
  const all = await adaptersWith(options.pattern);
  const logs = logsOf(files, options.rotated === true);
  const own = chosen(options.adapter, all);
  if (options.explain !== undefined)
    return await explainLine(logs, options.explain, { all, own }, outside);
  const { clock, input, print, tell } = outside;
  const matcher = new Matcher(own, { zone: hostZone() });
  // Near misses are for people: a script asks for the logins alone.
  const misses = options.count === true || options.json === true ? undefined : new NearMisses(own);
  const sieve = misses ?? matcher;
  const wants: Wants = (bytes, from, end) => sieve.wants(bytes, from, end);
  const summary = new Summary();
  const gauge = new Gauge(outside);
  let pending = "";
  const put = (text: string) => {
    pending += text;
    if (pending.length < batch) return;
    gauge.clear();
    print(pending);
    pending = "";
  };
  const now = clock.now();
  const show = options.count === true ? undefined : options.json === true ? asJson : asText;
  for (const file of logs) {
    const inFile = logs.length > 1 ? file : undefined;
    const take = (line: Line) => {
      const found = matcher.match(line, now);
      if (isLogin(found)) {
        summary.login(found);
        if (misses !== undefined) summary.ofAdapter(found);
        if (show !== undefined) put(show(line.number, found, inFile));
        return;
      }
      const place = `${file}:${String(line.number)}`;
      if (found !== undefined) summary.refusal(found.refused, place);
      misses?.look(line.bytes, place);
    };
    const log = file === "-" ? input() : file;
    const progress = gauge.of(file, () => summary.logins);
    const { lines, dropped, unterminated } = await readLines(log, wants, take, progress);
    summary.lines += lines;
    if (dropped > 0) summary.note(`${file}: ${counted(dropped, "line")} longer than 64 KiB`);
    if (unterminated) summary.note(`${file}: the last line has no end and was not read`);
  }
  gauge.clear();
  print(pending);
  if (options.count === true) print(`${summary.json}\n`);
  else if (misses !== undefined) tell(summary.text(misses.all));
  return exit.ok;
}

/** What the config needs is loaded only where a file has adapters: a look at a log does not wait for it. */
async function adaptersWith(pattern: string | undefined): Promise<readonly Adapter[]> {
  if (pattern === undefined) return adapters;
  const { adaptersOf } = await import("./pattern.ts");
  return await adaptersOf(pattern);
}

function logsOf(files: readonly string[], rotated: boolean): readonly string[] {
  if (files.length === 0) return ["-"];
  return files.flatMap((file) =>
    file !== "-" && (rotated || isDirectory(file)) ? withRotated(file) : [file],
  );
}

/** Gives those of all adapters that are named, or are on by default. */
function chosen(names: readonly string[] | undefined, all: readonly Adapter[]): readonly Adapter[] {
  const known = all.map(({ name }) => name);
  for (const name of names ?? []) {
    if (!known.includes(name)) {
      throw new UsageError(`there is no adapter "${name}"; there are ${known.join(", ")}`);
    }
  }
  return enabled(all, names);
}

function asJson(
  line: number,
  { at, adapter, service, user, client }: Login,
  file?: string,
): string {
  const iso = new Date(at).toISOString();
  return `${JSON.stringify({ file, line, at: iso, adapter, service, user, client })}\n`;
}

function asText(line: number, { at, adapter, service, user, client }: Login): string {
  const iso = new Date(at).toISOString();
  const name = shown(user);
  return `${String(line).padStart(8)}  ${iso}  ${adapter}  ${service.padEnd(4)}  ${client.padEnd(15)}  ${name}\n`;
}
