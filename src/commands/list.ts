/** `popgate list`: the live grants, or the sources, as the running popgate or else the state has them. */
import type { Listed, SourceStatus, Status } from "../control/control.ts";
import { ask } from "../control/ask.ts";
import { listedOf, sourceOf } from "../control/shown.ts";
import { exit, UsageError, type ExitCode } from "../errors.ts";
import { findPlaces, type ConfigOptions } from "../setup.ts";
import { readState } from "../state.ts";
import { aligned, durationOf } from "./columns.ts";
import type { Outside } from "./command.ts";
import { lagOf } from "./lag.ts";
import { answerOf, silence } from "./running.ts";
import { shown } from "./shown.ts";

interface ListOptions extends ConfigOptions {
  /** The sources instead of the grants. */
  readonly sources?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly watch?: boolean | undefined;
}

const second = 1000;

/**
 * Prints the grants that have not ended, or how far each source was read. Without a running popgate it says so.
 * @throws KnownError if the config or the state cannot be read
 */
export async function list(options: ListOptions, outside: Outside): Promise<ExitCode> {
  const { screen, clock } = outside;
  if (options.watch !== true) return once(options, outside);
  if (screen === undefined || options.json === true) {
    throw new UsageError("--watch draws on a terminal; without it the same is printed once");
  }
  const over = new AbortController();
  outside.signals.onStop(() => over.abort());
  const erase = "\u001b[H\u001b[J";
  while (!over.signal.aborted) {
    let text = "";
    const add = (more: string) => void (text += more);
    await once(options, { ...outside, print: add, tell: add });
    outside.print(`${erase}${topOf(text, screen.rows())}`);
    await new Promise<void>((resolve) => {
      over.signal.addEventListener("abort", () => resolve(), { once: true });
      clock.after(second, resolve);
    });
  }
  return exit.ok;
}

/** What does not fit is said to be there. */
function topOf(text: string, rows: number): string {
  const lines = text.trimEnd().split("\n");
  if (lines.length < rows) return text;
  const kept = lines.slice(0, rows - 2);
  return `${kept.join("\n")}\n… and ${String(lines.length - kept.length)} more\n`;
}

async function once(options: ListOptions, outside: Outside): Promise<ExitCode> {
  const { clock, print } = outside;
  const places = findPlaces(options);
  const { stateDir, controlSocket } = places;
  const json = options.json === true;
  const path = options.sources === true ? "/status" : "/grants";
  const reply = await ask(controlSocket, { method: "GET", path }, clock);
  const running = reply?.ok === true ? reply : undefined;
  if (options.sources === true) {
    if (running !== undefined) {
      showSources((await answerOf<Status>(running)).sources, json, outside);
      return exit.ok;
    }
    const { sources, saved } = await readState(stateDir);
    showSources(sources.map(sourceOf), json, outside);
    const when = sources.length === 0 ? "" : `: saved ${ageOf(saved, outside)}`;
    outside.tell(`${await silence(places, outside)}${when}\n`);
    return exit.ok;
  }
  if (running !== undefined && json) {
    for await (const line of running.lines()) print(`${line}\n`);
    return exit.ok;
  }
  if (running !== undefined) {
    const grants: Listed[] = [];
    for await (const line of running.lines()) grants.push(JSON.parse(line) as Listed);
    showGrants(grants, false, outside);
    if (grants.length === 0) outside.tell("no client is granted\n");
    return exit.ok;
  }
  const state = await readState(stateDir);
  const grants = state.grants.filter(({ expires }) => expires > clock.now());
  showGrants(grants.map(listedOf), json, outside);
  const why = await silence(places, outside);
  outside.tell(
    grants.length === 0
      ? `${why}\n`
      : `${why}: this was saved ${ageOf(state.saved, outside)}; stopped, it lets nobody relay, and these again when it starts\n`,
  );
  return exit.ok;
}

function ageOf(at: number, { clock }: Outside): string {
  return `${durationOf(Math.max(0, clock.now() - at))} ago`;
}

function showGrants(
  grants: readonly Listed[],
  json: boolean,
  { clock, print, screen }: Outside,
): void {
  const sorted = [...grants].sort((a, b) => (a.expires < b.expires ? -1 : 1));
  if (json) return sorted.forEach((grant) => print(`${JSON.stringify(grant)}\n`));
  if (sorted.length === 0) return;
  const now = clock.now();
  const rows = sorted.map(({ client, user, service, adapter, granted, expires, why }) => [
    client,
    why === undefined ? shown(user) : `(${shown(why)})`,
    service,
    adapter,
    `${granted.slice(0, 19)}Z`,
    durationOf(Math.max(0, Date.parse(expires) - now)),
  ]);
  const fit = {
    width: screen?.columns(),
    spare: ["GRANTED", "ADAPTER"],
    soft: ["USER"],
  };
  print(aligned(["CLIENT", "USER", "SERVICE", "ADAPTER", "GRANTED", "LEFT"], rows, fit));
}

/** A journal's position is longer than a table can hold. */
const longestPosition = 20;

function showSources(
  sources: readonly SourceStatus[],
  json: boolean,
  { print, tell, screen }: Outside,
): void {
  if (json) return sources.forEach((source) => print(`${JSON.stringify(source)}\n`));
  if (sources.length === 0) return tell("no source was read yet\n");
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
  const fit = {
    width: screen?.columns(),
    spare: ["ROTATIONS", "DROPPED", "POSITION"],
    soft: ["TROUBLE", "SOURCE"],
  };
  print(aligned(titles, rows, fit));
}
