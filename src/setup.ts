/** From what the command line says to a config that this host can serve. */
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, normalize } from "node:path";
import type { Adapter } from "./adapters/adapter.ts";
import { adapters as builtIn } from "./adapters/index.ts";
import { ownAdapters, type OwnAdapter } from "./adapters/own.ts";
import { configOfFlags, parseConfig, placesIn, type Config, type ConfigFlags } from "./config.ts";
import { codeOf, ConfigError, exit, KnownError, reasonOf, UsageError } from "./errors.ts";
import { completeMaps } from "./host.ts";
import { linearityFaults } from "./linearity.ts";
import { createMap } from "./maps/index.ts";
import type { AccessMap } from "./maps/map.ts";
import { defaultConfigFile, defaultStateDir } from "./paths.ts";
import { placesOf, type Places } from "./places.ts";
import type { Run } from "./run.ts";

/** A config, the maps that it means on this host, and all adapters: the built-in ones and its own. */
export interface Setup {
  readonly config: Config;
  readonly maps: readonly AccessMap[];
  readonly adapters: readonly Adapter[];
}

/** What a command line may say about the config. */
export interface ConfigOptions extends ConfigFlags {
  readonly config?: string | undefined;
}

/**
 * Reads the config that the options name, or the default one, or takes the options themselves as the config.
 * @throws UsageError if there is none or two of them, ConfigError with all its faults, KnownError if the file cannot be read
 */
export function readConfig(options: ConfigOptions): Config {
  const names = builtIn.map(({ name }) => name);
  const { source, journal, map, ttl, stateDir } = options;
  const hasFlags = [source, journal, map, ttl, stateDir].some((flag) => flag !== undefined);
  if (hasFlags && options.config !== undefined) {
    throw new UsageError(
      "--config and --source, --journal, --map, --ttl, --state-dir exclude each other; write them into the file",
    );
  }
  if (hasFlags) return configOfFlags(options, names);
  const file = options.config ?? defaultConfigFile;
  if (options.config === undefined && !existsSync(file)) {
    throw new UsageError(
      `there is no ${file}; name a config with --config, or give --source LOG or --journal, and --map [TYPE:]PATH`,
    );
  }
  return parseConfig(readText(file), file, names);
}

/**
 * Completes a config with what the host has by default, and with its adapters. Takes some seconds for each pattern of its own.
 * @throws ConfigError with the faults of all maps and adapters
 */
export async function completeSetup(config: Config, run: Run): Promise<Setup> {
  const [maps, adapters] = await Promise.allSettled([
    mapsOf(config, run),
    withOwn(config.adapter ?? []),
  ]);
  const faults: string[] = [];
  for (const part of [maps, adapters]) {
    if (part.status === "fulfilled") continue;
    if (!(part.reason instanceof ConfigError)) throw part.reason;
    faults.push(...part.reason.faults);
  }
  if (maps.status === "rejected" || adapters.status === "rejected") throw new ConfigError(faults);
  return { config, maps: maps.value, adapters: adapters.value };
}

/**
 * Gives the built-in adapters and behind them the given ones, which the user wrote.
 * @throws ConfigError with all their faults
 */
export async function withOwn(own: readonly OwnAdapter[]): Promise<readonly Adapter[]> {
  const { adapters, faults } = await ownAdapters(own, builtIn, linearityFaults);
  if (faults.length > 0) throw new ConfigError(faults.map(([key, what]) => `${key}: ${what}`));
  return [...builtIn, ...adapters];
}

/**
 * The maps that a config means on this host.
 * @throws ConfigError with the faults of all maps
 */
export async function mapsOf(config: Config, run: Run): Promise<readonly AccessMap[]> {
  const faults: string[] = [];
  const maps: AccessMap[] = [];
  const prefix = config.guard.ipv6_prefix;
  for (const settings of await completeMaps(config.map, run)) {
    try {
      maps.push(createMap(prefix === 64 ? { ...settings, ipv6_prefix: prefix } : settings));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return maps;
}

/**
 * The state directory and the control socket that these options mean, even if the config is at fault elsewhere: what is in the
 * tables must be found, and whoever runs be asked.
 * @throws KnownError if the config that the options name cannot be read
 */
export function findPlaces(options: ConfigOptions): Places {
  if (options.stateDir !== undefined) {
    if (isAbsolute(options.stateDir)) return placesOf(normalize(options.stateDir));
    throw new UsageError(`--state-dir: "${options.stateDir}" is not an absolute path`);
  }
  if (options.config === undefined && !existsSync(defaultConfigFile)) {
    return placesOf(defaultStateDir);
  }
  return placesIn(readText(options.config ?? defaultConfigFile));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = codeOf(error) === "EACCES" ? exit.config : exit.noInput;
    throw new KnownError(`${file}: ${reasonOf(error)}`, code);
  }
}

/** @throws ConfigError if a fresh config has another state directory than the one that is in use */
export function requireSameState(directory: string, { state_dir }: Config): void {
  if (state_dir === directory) return;
  throw new ConfigError(["state_dir: cannot change while popgate runs; restart it"]);
}
