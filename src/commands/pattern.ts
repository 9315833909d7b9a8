/** The adapters of a file that is not the config: a pattern is tried on a log before it goes live. */
import { readFileSync } from "node:fs";
import type { Adapter } from "../adapters/adapter.ts";
import { adapters } from "../adapters/index.ts";
import { parseAdapters } from "../config.ts";
import { ConfigError, reasonOf, SourceError } from "../errors.ts";
import { withOwn } from "../setup.ts";

/**
 * Takes the name of a file with `[[adapter]]` as a config has it. Gives all built-in adapters, and those of the file behind them.
 * @throws ConfigError with all their faults, SourceError if the file cannot be read
 */
export async function adaptersOf(file: string): Promise<readonly Adapter[]> {
  const names = adapters.map(({ name }) => name);
  const own = parseAdapters(textOf(file), file, names);
  try {
    return await withOwn(own);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.faults.map((fault) => `${file}: ${fault}`));
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new SourceError(`${file}: ${reasonOf(error)}`);
  }
}
