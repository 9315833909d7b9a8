/** `popgate list`: the live grants, or the sources, as the state has them. */
import { exit, type ExitCode } from "../errors.ts";
import { isLocked } from "../lock.ts";
import type { Grant, Progress } from "../model.ts";
import { stateDirOf, type ConfigOptions } from "../setup.ts";
import { stateLock } from "../state-lock.ts";
import { readState, type State } from "../state.ts";
import type { Outside } from "./command.ts";
import { shown } from "./shown.ts";

interface ListOptions extends ConfigOptions {
  /** The sources instead of the grants. */
  readonly sources?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Prints the grants that have not ended, in the order of their ends; or how far each source was read.
 * @throws KnownError if the config or the state cannot be read
 */
export async function list(options: ListOptions, outside: Outside): Promise<ExitCode> {
  const directory = stateDirOf(options);
  const state = await readState(directory);
  const runs = await isLocked(stateLock(directory), outside.run);
  if (options.sources === true) listSources(state, runs, options.json === true, outside);
  else listGrants(state, runs, options.json === true, outside);
  return exit.ok;
}

function listGrants(
  state: State,
  runs: boolean,
  json: boolean,
  { clock, print, tell }: Outside,
): void {
  const now = clock.now();
  const grants = state.grants
    .filter(({ expires }) => expires > now)
    .sort((a, b) => a.expires - b.expires);
  if (json) grants.forEach((grant) => print(`${asJson(grant)}\n`));
  else if (grants.length > 0) print(aligned(grantRows(grants, now)));
  if (!runs) {
    tell(
      grants.length === 0
        ? "popgate does not run\n"
        : "popgate does not run: these clients may not relay now, and may again when it starts\n",
    );
  } else if (grants.length === 0) {
    tell("no client is granted\n");
  }
}

function listSources(
  { sources, saved }: State,
  runs: boolean,
  json: boolean,
  { clock, print, tell }: Outside,
): void {
  if (json) sources.forEach((source) => print(`${JSON.stringify(source)}\n`));
  else if (sources.length > 0) print(aligned(sourceRows(sources)));
  const when = `${leftOf(Math.max(0, clock.now() - saved))} ago`;
  if (sources.length === 0) tell(runs ? "no source was read yet\n" : "popgate does not run\n");
  else tell(runs ? `saved ${when}\n` : `popgate does not run: saved ${when}\n`);
}

function asJson({ client, user, service, adapter, granted, expires }: Grant): string {
  return JSON.stringify({
    client,
    user,
    service,
    adapter,
    granted: iso(granted),
    expires: iso(expires),
  });
}

function grantRows(grants: readonly Grant[], now: number): string[][] {
  const rows = grants.map(({ client, user, service, adapter, granted, expires }) => [
    client,
    shown(user),
    service,
    adapter,
    iso(granted).slice(0, 19) + "Z",
    leftOf(expires - now),
  ]);
  return [["CLIENT", "USER", "SERVICE", "ADAPTER", "GRANTED", "LEFT"], ...rows];
}

/** A journal's position is longer than a table can hold. */
const longestPosition = 20;

function sourceRows(sources: readonly Progress[]): string[][] {
  const rows = sources.map(({ name, position, lines, rotations, dropped, gaps, ...rest }) => [
    shown(name),
    position.length > longestPosition ? `${position.slice(0, longestPosition - 1)}…` : position,
    lagOf(rest),
    String(lines),
    String(rotations),
    String(Object.values(dropped).reduce((sum, count) => sum + count, 0)),
    String(gaps),
    shown(rest.trouble ?? ""),
  ]);
  const titles = ["SOURCE", "POSITION", "LAG", "LINES", "ROTATIONS", "DROPPED", "GAPS", "TROUBLE"];
  return [titles, ...rows];
}

/** How much is not read yet, and for how long that has been so. */
function lagOf({ lag_bytes: bytes = 0, lag_seconds: seconds }: Partial<Progress>): string {
  const parts: string[] = [];
  if (bytes > 0) parts.push(sizeOf(bytes));
  if (seconds !== undefined && seconds > 0) parts.push(leftOf(seconds * 1000));
  return parts.length === 0 ? "0" : parts.join(" ");
}

function sizeOf(bytes: number): string {
  const [unit, divisor] = (
    [
      ["GB", 1e9],
      ["MB", 1e6],
      ["kB", 1e3],
    ] as const
  ).find(([, size]) => bytes >= size) ?? ["B", 1];
  return `${divisor === 1 ? String(bytes) : (bytes / divisor).toFixed(1)} ${unit}`;
}

function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function leftOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(seconds % 60).padStart(2, "0")}s`;
  if (hours > 0) return `${String(hours)}h${String(minutes).padStart(2, "0")}m`;
  return minutes > 0 ? `${String(minutes)}m${tail}` : tail.replace(/^0/, "");
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
