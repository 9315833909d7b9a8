/** From what the command line says to a config that this host can serve. */
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, normalize } from "node:path";
import { adapters } from "./adapters/index.ts";
import { configOfFlags, parseConfig, stateDirIn, type Config, type ConfigFlags } from "./config.ts";
import { codeOf, ConfigError, exit, KnownError, reasonOf, UsageError } from "./errors.ts";
import { completeMaps } from "./host.ts";
import { createMap } from "./maps/index.ts";
import type { AccessMap } from "./maps/map.ts";
import { defaultConfigFile, defaultStateDir } from "./paths.ts";
import type { Run } from "./run.ts";

/** A config, and the maps that it means on this host. */
export interface Setup {
  readonly config: Config;
  readonly maps: readonly AccessMap[];
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
  const names = adapters.map(({ name }) => name);
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
 * Completes a config with what the host has by default.
 * @throws ConfigError with the faults of all maps
 */
export async function completeSetup(config: Config, run: Run): Promise<Setup> {
  const faults: string[] = [];
  const maps: AccessMap[] = [];
  for (const settings of await completeMaps(config.map, run)) {
    try {
      maps.push(createMap(settings));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { config, maps };
}

/**
 * The state directory that these options mean, even if the config is at fault elsewhere: what is in the tables must be found.
 * @throws KnownError if the config that the options name cannot be read
 */
export function stateDirOf(options: ConfigOptions): string {
  if (options.stateDir !== undefined) {
    if (isAbsolute(options.stateDir)) return normalize(options.stateDir);
    throw new UsageError(`--state-dir: "${options.stateDir}" is not an absolute path`);
  }
  if (options.config === undefined && !existsSync(defaultConfigFile)) return defaultStateDir;
  return stateDirIn(readText(options.config ?? defaultConfigFile));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = codeOf(error) === "EACCES" ? exit.config : exit.noInput;
    throw new KnownError(`${file}: ${reasonOf(error)}`, code);
  }
}
