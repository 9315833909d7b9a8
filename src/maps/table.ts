/** A table as the config names it: `type:path`, or a path. */
import { posix } from "node:path";
import { ConfigError } from "../errors.ts";
import type { MapSettings } from "./map.ts";

/** The two halves of `type:path`. */
interface Table {
  readonly type: string;
  readonly path: string;
}

/** Behind a table's name stand a suffix and a token while it is built; NAME_MAX is 255. */
const longestName = 200;

/**
 * Takes `type:path`, splits it at the first colon and gives both; the type is empty if there is none.
 * Each fault that it finds in the path goes to `faults`, and says what would be right.
 */
export function parseTable(table: string, faults: string[]): Table {
  const colon = table.indexOf(":");
  const type = table.startsWith("/") ? "" : table.slice(0, Math.max(colon, 0));
  const path = table.startsWith("/") ? table : table.slice(colon + 1);
  if (!path.startsWith("/")) {
    faults.push(`"${path}" is not an absolute path; write it as /var/lib/popgate/relay`);
  } else if (!/^[\w.@+~/-]+$/.test(path)) {
    // An MTA's config would split or expand it there: blanks, commas, colons, quotes, $, braces.
    faults.push(`the path may hold letters, digits and . _ @ + ~ - / only`);
  } else if (posix.normalize(path) !== path || path.endsWith("/")) {
    faults.push(`the path must name a file, without "//", "." or ".."`);
  } else if (/\.(?:db|cdb|lmdb|dir|pag)$/.test(path)) {
    faults.push(`leave out "${posix.extname(path)}": the map tool adds it`);
  } else if (posix.basename(path).length > longestName) {
    faults.push(`the file's name is longer than ${String(longestName)} characters`);
  }
  return { type, path };
}

/** Adds a fault for a program or directory of the settings that is not an absolute path. */
export function requireAbsolute(key: string, path: string | undefined, faults: string[]): void {
  if (path === undefined || (path.startsWith("/") && !path.includes("\0"))) return;
  faults.push(`${key} = "${path}" is not an absolute path`);
}

/** Adds a fault for each of these keys that the settings have although this MTA has no use for it. */
export function refuseKeys(
  settings: MapSettings,
  keys: readonly ("style" | "tool" | "config_dir" | "name")[],
  faults: string[],
): void {
  for (const key of keys) {
    if (settings[key] !== undefined) faults.push(`${key} means nothing to ${settings.mta}`);
  }
}

/** @throws ConfigError with every fault, each behind the table's name, if there are any */
export function throwFaults({ table }: MapSettings, faults: readonly string[]): void {
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `map "${table}": ${fault}`));
}
