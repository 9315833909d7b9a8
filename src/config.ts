/** The config: TOML text to one frozen, complete object. Every default stands here, once. */
import { parse, stringify, TomlError } from "smol-toml";
import { z } from "zod";
import { services } from "./adapters/adapter.ts";
import type { OwnAdapter } from "./adapters/own.ts";
import { contradictions } from "./contradictions.ts";
import { ConfigError, type Fault } from "./errors.ts";
import { defaultStateDir } from "./paths.ts";
import { placesNamed, placesOf, type Places } from "./places.ts";
import {
  absolutePath,
  adapterName,
  count,
  duration,
  durationText,
  format,
  group,
  ipv6Prefix,
  isForOthers,
  journalValue,
  journalValues,
  listenAddress,
  logPath,
  nameList,
  networkList,
  plainError,
  program,
  socketPath,
  table,
  texts,
  zone,
} from "./values.ts";

const adapters = z.array(z.string()).min(1).optional();

/** A source is a file unless it says otherwise. */
function withType(source: unknown): unknown {
  return typeof source === "object" && source !== null ? { type: "file", ...source } : source;
}

/** Daemons that popgate does not know by itself. */
const ownAdapters = z
  .array(
    z.strictObject({
      name: adapterName,
      programs: z.array(program).min(1),
      service: z.enum(services).optional(),
      pattern: texts,
      must_match: z.array(z.string()).min(1),
      must_not_match: z.array(z.string()).min(1),
    }),
  )
  .min(1);

/** What a config may hold, before the defaults that depend on other keys. */
export const contents = z.strictObject({
  ttl: duration.prefault("30m"),
  fail_open_limit: duration.prefault("60s"),
  state_dir: absolutePath.prefault(defaultStateDir),
  audit: absolutePath.optional(),
  source: z
    .array(
      z.preprocess(
        withType,
        z.discriminatedUnion("type", [
          z.strictObject({
            type: z.literal("file"),
            path: logPath,
            adapters,
            ttl: duration.optional(),
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
            ttl: duration.optional(),
          }),
          z.strictObject({
            type: z.literal("stdin"),
            adapters,
            ttl: duration.optional(),
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
        mta: z.enum(["postfix", "sendmail", "exim", "opensmtpd"]).optional(),
        table,
        style: z.enum(["popauth", "access"]).optional(),
        tool: absolutePath.optional(),
        config_dir: absolutePath.optional(),
        name: z.string().optional(),
      }),
    )
    .min(1),
  guard: z
    .strictObject({
      never: networkList,
      allow: networkList,
      ipv6_prefix: ipv6Prefix.default(128),
      services: z
        .array(z.enum(services))
        .min(1)
        .default([...services]),
      allow_users: nameList.min(1).default(["*"]),
      deny_users: nameList.default([]),
      adapter_ttl: z.record(z.string(), duration).default({}),
      max_grants: count.default(100_000),
      max_clients_per_user: count.default(32),
      too_many_clients: z.enum(["refuse", "hold"]).default("refuse"),
      hold: duration.prefault("1d"),
      max_users_per_client: count.max(1000).default(32),
      too_many_users: z.enum(["warn", "refuse", "shorten"]).default("warn"),
      short_ttl: duration.prefault("5m"),
    })
    .prefault({}),
  control: z.strictObject({ socket: socketPath.optional(), group: group.optional() }).prefault({}),
  metrics: z
    .strictObject({ listen: listenAddress.optional(), remote: z.boolean().default(false) })
    .refine(({ listen, remote }) => listen === undefined || remote || !isForOthers(listen), {
      path: ["listen"],
      error: "others could reach it; take 127.0.0.1, or say remote = true if you mean it",
    })
    .prefault({}),
  adapter: ownAdapters.optional(),
});

const schema = contents.transform(({ control, ...rest }) => ({
  ...rest,
  control: { ...control, socket: control.socket ?? placesOf(rest.state_dir).controlSocket },
}));

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
  return validate(schema, parsed(text, file), adapters, (key) => `${file}: ${key}`);
}

/**
 * Takes a text that has `[[adapter]]` as a config has it, whatever else it has.
 * @throws ConfigError as `parseConfig`
 */
export function parseAdapters(
  text: string,
  file: string,
  adapters: readonly string[],
): readonly OwnAdapter[] {
  const place = (key: string) => `${file}: ${key}`;
  return validate(z.looseObject({ adapter: ownAdapters }), parsed(text, file), adapters, place)
    .adapter;
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "";
    throw new ConfigError([
      `${file}:${String(error.line)}:${String(error.column)}: not TOML: ${what}`,
    ]);
  }
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
  return validate(schema, raw, adapters, (key) =>
    key.startsWith("source") ? "--source" : key.startsWith("map") ? "--map" : (options[key] ?? key),
  );
}

/** Gives the config as TOML, complete with every default. */
export function configText(config: Config): string {
  const { ttl, fail_open_limit, source, guard } = config;
  const texts = Object.entries(guard.adapter_ttl).map(([name, ms]) => [name, durationText(ms)]);
  return stringify({
    ...config,
    ttl: durationText(ttl),
    fail_open_limit: durationText(fail_open_limit),
    source: source.map((one) =>
      one.ttl === undefined ? one : { ...one, ttl: durationText(one.ttl) },
    ),
    guard: {
      ...guard,
      adapter_ttl: Object.fromEntries(texts) as Record<string, string>,
      hold: durationText(guard.hold),
      short_ttl: durationText(guard.short_ttl),
    },
  });
}

/** The places that a config file's text names, be the rest right or wrong; the default ones if it names none. */
export function placesIn(text: string): Places {
  try {
    const { state_dir, control } = z
      .looseObject({
        state_dir: absolutePath.prefault(defaultStateDir),
        control: z.looseObject({ socket: socketPath.optional() }).prefault({}),
      })
      .parse(parse(text));
    return placesOf(state_dir, control.socket);
  } catch {
    // At fault elsewhere, or here: what can be read of it must do.
  }
  return placesNamed(text);
}

function validate<T extends Parameters<typeof contradictions>[0]>(
  wanted: z.ZodType<T>,
  raw: unknown,
  adapters: readonly string[],
  place: (key: string) => string,
): T {
  const result = wanted.safeParse(raw, { error: plainError });
  const faults = result.success
    ? contradictions(result.data, adapters)
    : result.error.issues.flatMap(faultsOf);
  if (!result.success || faults.length > 0) {
    throw new ConfigError(faults.map(([key, what]) => `${place(key)}: ${what}`));
  }
  return deepFreeze(result.data);
}

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

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
