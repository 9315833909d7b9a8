/** `popgate report`: who still depends on POP before SMTP, from where, and how often, as the audit has it. */
import { existsSync } from "node:fs";
import { Dependents } from "../audit/dependents.ts";
import { recordedOf } from "../audit/line.ts";
import { ConfigError, exit, SourceError, UsageError, type ExitCode } from "../errors.ts";
import { accountOf } from "../grants/names.ts";
import { defaultConfigFile } from "../paths.ts";
import { readConfig, type ConfigOptions } from "../setup.ts";
import { isDirectory, packed, packedOtherwise, withRotated } from "../sources/logs.ts";
import { inodeNamed, requireLog } from "../sources/named.ts";
import { readLines } from "../sources/reader.ts";
import { isSameList, siblingsOf } from "../sources/siblings.ts";
import { milliseconds } from "../values.ts";
import type { Outside } from "./command.ts";
import { Gauge } from "./gauge.ts";
import { reportCsv, reportJson } from "./report-data.ts";
import { reportScreen } from "./report-screen.ts";
import { counted } from "./summary.ts";

interface ReportOptions extends Pick<ConfigOptions, "config"> {
  readonly since?: string | undefined;
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
}

/** A rotation while the files are read would hide one of them, or show one twice. */
const mostTries = 3;

/** What was read, and what is to be said of the reading. */
interface Reading {
  readonly dependents: Dependents;
  readonly notes: readonly string[];
  /** Why files could not be read to their end. */
  readonly faults: readonly string[];
}

/**
 * Prints the report of the audit that the config names, with its rotated generations, or of these files.
 * @throws UsageError, ConfigError if no audit is kept, SourceError if there is nothing to read
 */
export async function report(
  files: readonly string[],
  options: ReportOptions,
  outside: Outside,
): Promise<ExitCode> {
  const { clock, print, tell } = outside;
  if (options.json === true && options.csv === true) {
    throw new UsageError("--json and --csv exclude each other");
  }
  const since = options.since === undefined ? -Infinity : clock.now() - timeOf(options.since);
  const { dependents, notes, faults } =
    files.length > 0
      ? await readAll(files.flatMap(allOf), since, outside)
      : await readAudit(auditOf(options), since, outside);
  if (options.json === true) for (const line of reportJson(dependents)) print(line);
  else if (options.csv === true) for (const line of reportCsv(dependents)) print(line);
  else print(reportScreen(dependents, outside.screen?.columns()));
  for (const line of [...faults, ...notes]) tell(`${line}\n`);
  return faults.length === 0 ? exit.ok : exit.noInput;
}

function timeOf(text: string): number {
  const ms = milliseconds(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`--since: "${text}" is not a duration; write it as 12h, 30d or 365d`);
}

function auditOf(options: ReportOptions): string {
  const file = options.config ?? defaultConfigFile;
  if (options.config === undefined && !existsSync(file)) {
    throw new UsageError(`there is no ${file}; name a config with --config, or the audit's files`);
  }
  const { audit } = readConfig({ config: file });
  if (audit !== undefined) return audit;
  throw new ConfigError([
    `${file}: audit is not set, so nothing was kept; add audit = "/var/log/popgate/audit.log" at its top, and \`popgate reload\``,
  ]);
}

function allOf(file: string): readonly string[] {
  if (packed.test(file)) {
    throw new SourceError(`${file}: only gzip can be unpacked here; unpack it, and pipe it to -`);
  }
  return file !== "-" && isDirectory(file) ? withRotated(file) : [file];
}

/** One audit with its generations, as they are at one moment. */
async function readAudit(path: string, since: number, outside: Outside): Promise<Reading> {
  for (let tries = 1; ; tries++) {
    // To open a FIFO would wait for whoever writes to it.
    requireLog(path);
    const [generations, live] = [siblingsOf(path), inodeNamed(path)];
    const files = [...generations.map((one) => one.path), ...(live === undefined ? [] : [path])];
    if (files.length === 0) {
      throw new SourceError(`${path}: there is no audit yet; popgate writes it while it runs`);
    }
    const reading = await readAll(files, since, outside);
    const isSettled = isSameList(generations, siblingsOf(path)) && live === inodeNamed(path);
    const left = packedOtherwise(path).map((file) => `${file}: not read: not packed by gzip`);
    if (isSettled) return { ...reading, faults: [...reading.faults, ...left] };
    if (tries === mostTries) throw new SourceError(`${path}: rotated again and again; try again`);
  }
}

async function readAll(
  files: readonly string[],
  since: number,
  outside: Outside,
): Promise<Reading> {
  const dependents = new Dependents(since, accountOf);
  const gauge = new Gauge(outside);
  const faults: string[] = [];
  let torn = 0;
  for (const file of files) {
    const log = file === "-" ? outside.input() : file;
    const progress = gauge.of(file, () => dependents.logins);
    try {
      const { dropped, unterminated } = await readLines(
        log,
        () => true,
        ({ bytes }) => {
          const recorded = recordedOf(bytes.toString());
          if (recorded === undefined) torn++;
          else dependents.take(recorded);
        },
        progress,
      );
      torn += dropped + (unterminated ? 1 : 0);
    } catch (error) {
      if (!(error instanceof SourceError) || files.length === 1) throw error;
      faults.push(`${error.message}; the rest of it is not counted`);
    }
  }
  gauge.clear();
  return { dependents, notes: notesOf(dependents, torn), faults };
}

function notesOf({ lost, leftOut }: Dependents, torn: number): string[] {
  return [
    ...(torn === 0 ? [] : [`${counted(torn, "line")} torn, or none of an audit: not counted`]),
    ...(lost === 0 ? [] : [`${counted(lost, "event")} could not be written when they happened`]),
    ...(leftOut === 0
      ? []
      : [`${counted(leftOut, "login")} of further users left out: there are too many`]),
  ];
}
