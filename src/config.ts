/** The config: TOML text to one frozen, complete object. Every default stands here, once. */
import { isAbsolute, normalize } from "node:path";
import { parse, stringify, TomlError } from "smol-toml";
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { defaultStateDir } from "./paths.ts";
import { isPattern, nameOf, takesIn, type SourceSettings } from "./sources/settings.ts";
import {
  absolutePath,
  count,
  duration,
  durationText,
  format,
  journalValue,
  journalValues,
  logPath,
  networkList,
  table,
  zone,
} from "./values.ts";

const adapters = z.array(z.string()).min(1).optional();

/** A source is a file unless it says otherwise. */
function withType(source: unknown): unknown {
  return typeof source === "object" && source !== null ? { type: "file", ...source } : source;
}

const schema = z.strictObject({
  ttl: duration.prefault("30m"),
  state_dir: absolutePath.prefault(defaultStateDir),
  source: z
    .array(
      z.preprocess(
        withType,
        z.discriminatedUnion("type", [
          z.strictObject({
            type: z.literal("file"),
            path: logPath,
            adapters,
            zone: zone.optional(),
            format: format.optional(),
          }),
          z.strictObject({
            type: z.literal("journal"),
            units: z.array(journalValue).min(1).optional(),
            identifiers: z.array(journalValue).min(1).optional(),
            trust: z
              .strictObject({
                // Dovecot's log process and Courier's logger run as root; what a user of the host writes does not.
                _UID: journalValues.prefault("0"),
                _COMM: journalValues.optional(),
                _EXE: journalValues.optional(),
                _SYSTEMD_UNIT: journalValues.optional(),
                // A line that a program prints is cut at 48 KiB and at NULs: what stands behind would be one of its own.
                _TRANSPORT: journalValues.prefault(["syslog", "journal"]),
              })
              .prefault({}),
            namespace: journalValue.optional(),
            directory: absolutePath.optional(),
            adapters,
          }),
          z.strictObject({
            type: z.literal("stdin"),
            adapters,
            zone: zone.optional(),
            format: format.optional(),
          }),
        ]),
      ),
    )
    .min(1),
  map: z
    .array(
      z.strictObject({
        mta: z.enum(["postfix", "sendmail", "exim"]).optional(),
        table,
        style: z.enum(["popauth", "access"]).optional(),
        tool: absolutePath.optional(),
        config_dir: absolutePath.optional(),
      }),
    )
    .min(1),
  guard: z
    .strictObject({
      never: networkList,
      allow: networkList,
      max_grants: count.default(100_000),
      max_clients_per_user: count.default(32),
    })
    .prefault({}),
});

/** The whole config with every default: times in ms, paths absolute and normal. */
export type Config = Readonly<z.output<typeof schema>>;

/** What the command line may give instead of a config file. */
export interface ConfigFlags {
  /** Paths of logs; `-` is standard input. */
  readonly source?: readonly string[] | undefined;
  readonly journal?: boolean | undefined;
  readonly map?: readonly string[] | undefined;
  readonly ttl?: string | undefined;
  readonly stateDir?: string | undefined;
}

/**
 * Takes the text of a config file, its name for the messages, and the names of the adapters that there are.
 * @throws ConfigError with all faults at once, each with its key (line and column where the syntax is wrong)
 */
export function parseConfig(text: string, file: string, adapters: readonly string[]): Config {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "";
    throw new ConfigError([
      `${file}:${String(error.line)}:${String(error.column)}: not TOML: ${what}`,
    ]);
  }
  return validate(raw, adapters, (key) => `${file}: ${key}`);
}

/**
 * Takes what the command line says instead of a config file.
 * @throws ConfigError as `parseConfig`, naming the options
 */
export function configOfFlags(flags: ConfigFlags, adapters: readonly string[]): Config {
  const raw = {
    ...(flags.ttl === undefined ? {} : { ttl: flags.ttl }),
    ...(flags.stateDir === undefined ? {} : { state_dir: flags.stateDir }),
    source: [
      ...(flags.source ?? []).map((path) => (path === "-" ? { type: "stdin" } : { path })),
      ...(flags.journal === true ? [{ type: "journal" }] : []),
    ],
    map: (flags.map ?? []).map((name) => ({ table: name })),
  };
  const options: Readonly<Record<string, string>> = { state_dir: "--state-dir", ttl: "--ttl" };
  return validate(raw, adapters, (key) =>
    key.startsWith("source") ? "--source" : key.startsWith("map") ? "--map" : (options[key] ?? key),
  );
}

/** Gives the config as TOML, complete with every default. */
export function configText(config: Config): string {
  return stringify({ ...config, ttl: durationText(config.ttl) });
}

/** The state_dir of a config file's text, be the rest right or wrong; the default one if it names none. */
export function stateDirIn(text: string): string {
  try {
    const { state_dir } = z.looseObject({ state_dir: absolutePath }).parse(parse(text));
    return state_dir;
  } catch {
    // At fault elsewhere, or here: what can be read of it must do.
  }
  const named = /^[ \t]*state_dir[ \t]*=[ \t]*(?:"([^"\\\n]*)"|'([^'\n]*)')/m.exec(text);
  const path = named?.[1] ?? named?.[2] ?? "";
  return isAbsolute(path) ? normalize(path) : defaultStateDir;
}

function validate(
  raw: unknown,
  adapters: readonly string[],
  place: (key: string) => string,
): Config {
  const parsed = schema.safeParse(raw, { error: plainError });
  const faults = parsed.success
    ? crossFaults(parsed.data, adapters)
    : parsed.error.issues.flatMap(faultsOf);
  if (!parsed.success || faults.length > 0) {
    throw new ConfigError(faults.map(([key, what]) => `${place(key)}: ${what}`));
  }
  return deepFreeze(parsed.data);
}

type Fault = readonly [key: string, what: string];

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => [keyOf([...issue.path, key]), "there is no such key"]);
  }
  return [[keyOf(issue.path), issue.message]];
}

function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${String(part)}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text in quotes",
  int: "a whole number",
  number: "a number",
  array: "a list in brackets",
  object: "a table of keys",
};

/** Says what would be right, in TOML's words. */
const plainError: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => `"${String(value)}"`).join(", ")}`;
    case "invalid_union":
      return issue.discriminator === undefined
        ? undefined
        : `must be one of "file", "journal", "stdin"`;
    case "too_small":
      return issue.origin === "array"
        ? "needs at least one entry"
        : `must be at least ${String(issue.minimum)}`;
    case "too_big":
      return `must be at most ${String(issue.maximum)}`;
    default:
      return undefined;
  }
};

/** What no single key shows. */
function crossFaults(config: Config, adapters: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  config.source.forEach((source, index) => {
    const key = `source[${String(index)}]`;
    for (const name of source.adapters ?? []) {
      if (adapters.includes(name)) continue;
      faults.push([`${key}.adapters`, `there is no adapter "${name}" (${adapters.join(", ")})`]);
    }
    for (const other of config.source.slice(0, index)) {
      const twice = nameOf(other) === nameOf(source) || overlap(other, source);
      if (twice) faults.push([key, `"${nameOf(source)}" is read by "${nameOf(other)}" already`]);
    }
  });
  config.map.forEach((map, index) => {
    const key = `map[${String(index)}]`;
    if (config.source.some((source) => reads(source, pathOf(map.table)))) {
      faults.push([`${key}.table`, `"${pathOf(map.table)}" is a log; choose another path`]);
    }
    if (config.map.findIndex((other) => pathOf(other.table) === pathOf(map.table)) < index) {
      faults.push([`${key}.table`, `"${pathOf(map.table)}" is written by two maps`]);
    }
    if (map.style !== undefined && map.mta !== "sendmail") {
      faults.push([`${key}.style`, 'belongs to mta = "sendmail"']);
    }
    if (map.config_dir !== undefined && map.mta !== "postfix") {
      faults.push([`${key}.config_dir`, 'belongs to mta = "postfix"']);
    }
  });
  return faults;
}

function reads(source: SourceSettings, path: string): boolean {
  return source.type === "file" && takesIn(source.path, path);
}

/** Two patterns may take in the same path; that a log is then read twice has no effect. */
function overlap(one: SourceSettings, other: SourceSettings): boolean {
  if (one.type !== "file" || other.type !== "file") return false;
  if (isPattern(one.path) && isPattern(other.path)) return false;
  return takesIn(one.path, other.path) || takesIn(other.path, one.path);
}

/** The path of a `type:path` or of a path alone. */
function pathOf(name: string): string {
  return name.slice(name.indexOf("/"));
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
