/** `popgate list`: the live grants, as the state has them. */
import { exit, type ExitCode } from "../errors.ts";
import { isLocked } from "../lock.ts";
import type { Grant } from "../model.ts";
import { stateDirOf, type ConfigOptions } from "../setup.ts";
import { readState, stateLock } from "../state.ts";
import type { Outside } from "./command.ts";

interface ListOptions extends ConfigOptions {
  readonly json?: boolean | undefined;
}

/**
 * Prints the grants that have not ended, in the order of their ends.
 * @throws KnownError if the config or the state cannot be read
 */
export async function list(options: ListOptions, outside: Outside): Promise<ExitCode> {
  const { clock, run, print, tell } = outside;
  const directory = stateDirOf(options);
  const state = await readState(directory);
  const now = clock.now();
  const grants = state.grants
    .filter(({ expires }) => expires > now)
    .sort((a, b) => a.expires - b.expires);
  if (options.json === true) grants.forEach((grant) => print(`${asJson(grant)}\n`));
  else if (grants.length > 0) print(asTable(grants, now));
  if (!(await isLocked(stateLock(directory), run))) {
    tell(
      grants.length === 0
        ? "popgate does not run\n"
        : "popgate does not run: these clients may not relay now, and may again when it starts\n",
    );
  } else if (grants.length === 0) {
    tell("no client is granted\n");
  }
  return exit.ok;
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

function asTable(grants: readonly Grant[], now: number): string {
  const rows = grants.map(({ client, user, service, adapter, granted, expires }) => [
    client,
    shown(user),
    service,
    adapter,
    iso(granted).slice(0, 19) + "Z",
    leftOf(expires - now),
  ]);
  rows.unshift(["CLIENT", "USER", "SERVICE", "ADAPTER", "GRANTED", "LEFT"]);
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

/** Strangers choose user names; none of their characters reaches a terminal raw. */
function shown(user: string): string {
  return user.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
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
