/** `popgate status`: whether popgate is healthy, and what it has come to. */
import type { Counters, MapStatus, SourceStatus, Status } from "../control/control.ts";
import { ask } from "../control/ask.ts";
import { exit, KnownError, type ExitCode } from "../errors.ts";
import { findPlaces, type ConfigOptions } from "../setup.ts";
import { aligned, durationOf, wrapped } from "./columns.ts";
import type { Outside } from "./command.ts";
import { lagOf } from "./lag.ts";
import { answerOf, silence } from "./running.ts";
import { shown } from "./shown.ts";

interface StatusOptions extends ConfigOptions {
  readonly json?: boolean | undefined;
}

/** Characters of a line where no screen tells its width. */
const usualWidth = 100;

/**
 * Gives 0 if popgate runs and is healthy, else 1.
 * @throws KnownError if the config cannot be read, or the running popgate may not be asked
 */
export async function status(options: StatusOptions, outside: Outside): Promise<ExitCode> {
  const { print, tell, clock } = outside;
  const places = findPlaces(options);
  const reply = await ask(places.controlSocket, { method: "GET", path: "/status" }, clock);
  if (reply === undefined) {
    if (options.json === true) print('{"health":"silent"}\n');
    tell(`${await silence(places, outside)}\n`);
    return exit.no;
  }
  if (!reply.ok) throw new KnownError(await reply.text(), exit.tempFail);
  const now = await answerOf<Status>(reply);
  if (options.json === true) print(`${JSON.stringify(now)}\n`);
  else print(screenOf(now, outside.screen?.columns()));
  return now.health === "healthy" ? exit.ok : exit.no;
}

function screenOf(status: Status, columns: number | undefined): string {
  const { health, reasons, popgate, node, pid, started, grants, max_grants: most } = status;
  const now = Date.parse(status.now);
  const age = (iso: string | undefined) =>
    iso === undefined ? "never" : `${durationOf(Math.max(0, now - Date.parse(iso)))} ago`;
  const width = columns ?? usualWidth;
  const lines = [
    health,
    ...reasons.map((reason) => wrapped(`  ! ${shown(reason)}`, width, "    ")),
    "",
    `popgate ${popgate}, node ${node}, pid ${String(pid)}, up ${durationOf(now - Date.parse(started))}`,
    `${String(grants)} of at most ${String(most)} clients granted; last login ${age(status.last_login)}`,
    "",
  ];
  const tables = [
    aligned(
      ["SOURCE", "LAST LINE", "LAG", "LINES", "ROTATIONS", "DROPPED", "GAPS"],
      status.sources.map((source) => sourceRow(source, age)),
      { width: columns, spare: ["ROTATIONS", "DROPPED"], soft: ["SOURCE"] },
    ),
    aligned(
      ["MAP", "PUBLISHED", "TOOK", "WRITES", "FAILURES"],
      status.maps.map((map) => mapRow(map, age)),
      { width: columns, soft: ["MAP"] },
    ),
    aligned(["COUNTER", "", "TOTAL"], counterRows(status.counters), {
      width: columns,
      soft: [""],
    }),
  ];
  return `${lines.join("\n")}\n${tables.join("\n")}`;
}

type Age = (iso: string | undefined) => string;

function sourceRow(source: SourceStatus, age: Age): string[] {
  const { name, lines, rotations, dropped, gaps } = source;
  return [
    shown(name),
    age(source.last_line),
    lagOf(source),
    String(lines),
    String(rotations),
    String(Object.values(dropped).reduce((sum, count) => sum + count, 0)),
    String(gaps),
  ];
}

function mapRow(map: MapStatus, age: Age): string[] {
  const { table, published, took_ms: took, publishes, failures } = map;
  return [
    table,
    age(published),
    took === undefined ? "" : `${String(took)} ms`,
    String(publishes),
    String(failures),
  ];
}

function counterRows(counters: Counters): string[][] {
  const { granted, restored, renewed, expired, revoked, late } = counters;
  const byName = (title: string, counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => [title, shown(name), String(count)]);
  return [
    ...byName("logins", counters.logins),
    ...Object.entries({ granted, restored, renewed, expired, revoked, late }).map(
      ([name, count]) => [name, "", String(count)],
    ),
    ...byName("refused", counters.refused),
    ...byName("line refused", counters.lines_refused),
    ...byName("near miss", counters.near_misses),
  ];
}
