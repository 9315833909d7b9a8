/** The report for people: a table of users with bars, and what was refused. Pure. */
import type { Dependent, Dependents } from "../audit/dependents.ts";
import { aligned, wrapped } from "./columns.ts";
import { reasonText } from "./report-data.ts";
import { shown } from "./shown.ts";
import { counted } from "./summary.ts";

/** Characters: a bar has more on a wide screen, before names do; and at least so many, or there is none. */
const shortestBar = 6;
const longestBar = 40;
const roomForBar = (width: number) => Math.max(shortestBar, Math.floor(width / 4) - 15);
/** Characters that a reason has for itself, however small the screen. */
const narrowest = 20;
/** Eighths of a character. */
const blocks = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Takes the width of the terminal in characters; without one nothing is cut, and there are no bars. */
export function reportScreen(dependents: Dependents, width?: number): string {
  const users = dependents.users();
  const refusals = refusalsOf(dependents, width);
  return [
    headOf(dependents, users.length),
    ...(users.length === 0 ? [] : [withBars(tableOf(users, width), users, width)]),
    ...(refusals === ""
      ? []
      : ["Refused, told once for each client and reason in a ttl:\n", refusals]),
  ].join("\n");
}

function headOf({ logins, clients, ordered, first, last }: Dependents, users: number): string {
  const orders = ordered === 0 ? "" : `${counted(ordered, "grant")} by order\n`;
  if (first === undefined || last === undefined) return "the audit tells of nothing in this time\n";
  const span = dayOf(first) === dayOf(last) ? dayOf(first) : `${dayOf(first)} to ${dayOf(last)}`;
  const came = `${counted(logins, "login")} of ${counted(users, "user")} from ${counted(clients, "client")}`;
  return `${came}, ${span}\n${orders}`;
}

function tableOf(users: readonly Dependent[], width: number | undefined): string {
  const logins = numbers(
    "LOGINS",
    users.map((one) => String(one.logins)),
  );
  const days = numbers(
    "DAYS",
    users.map((one) => String(one.days)),
  );
  const clients = numbers(
    "CLIENTS",
    users.map((one) => `${String(one.clients.length)}${one.more ? "+" : ""}`),
  );
  const rows = users.map((one, row) => [
    shown(one.user),
    logins[row] ?? "",
    days[row] ?? "",
    clients[row] ?? "",
    one.clients[0]?.client ?? "",
    dayOf(one.last),
    one.services.map(shown).join(","),
  ]);
  const titles = ["USER", "LOGINS", "DAYS", "CLIENTS", "LATEST FROM", "LAST SEEN", "SERVICES"];
  return aligned(titles, rows, {
    width: width === undefined ? undefined : width - roomForBar(width) - 2,
    spare: ["SERVICES", "DAYS", "LAST SEEN"],
    soft: ["LATEST FROM", "USER"],
  });
}

/** In what the table leaves of the screen. */
function withBars(table: string, users: readonly Dependent[], width: number | undefined): string {
  const lines = table.trimEnd().split("\n");
  const longest = lines.reduce((most, { length }) => Math.max(most, length), 0);
  const room = Math.min(longestBar, (width ?? 0) - longest - 2);
  if (room < shortestBar) return table;
  const most = users[0]?.logins ?? 0;
  const drawn = lines.map((line, row) => {
    const bar = row === 0 ? "" : barOf((users[row - 1]?.logins ?? 0) / most, room);
    return `${line.padEnd(longest)}  ${bar}`.trimEnd();
  });
  return `${drawn.join("\n")}\n`;
}

function barOf(share: number, room: number): string {
  const eighths = Math.max(1, Math.round(share * room * 8));
  return `${"█".repeat(Math.floor(eighths / 8))}${blocks[eighths % 8] ?? ""}`;
}

/** A reason that is longer than the screen goes on below. */
function refusalsOf(dependents: Dependents, width = Infinity): string {
  const refusals = dependents.refusals();
  if (refusals.length === 0) return "";
  const times = numbers(
    "TIMES",
    refusals.map((one) => String(one.times)),
  );
  const clients = numbers(
    "CLIENTS",
    refusals.map((one) => String(one.clients)),
  );
  const rows = refusals.map(({ last }, row) => [times[row] ?? "", clients[row] ?? "", dayOf(last)]);
  const left = aligned(["TIMES", "CLIENTS", "LATEST"], rows).split("\n");
  const widest = left.reduce((most, { length }) => Math.max(most, length), 0);
  const room = Math.max(narrowest, width - widest - 2);
  const reasons = ["REASON", ...refusals.map(({ reason }) => reasonText(reason))];
  const gap = " ".repeat(widest + 2);
  return reasons
    .map((reason, row) => {
      const lines = wrapped(reason, room).replaceAll("\n", `\n${gap}`);
      return `${(left[row] ?? "").padEnd(widest)}  ${lines}\n`;
    })
    .join("");
}

/** Cells that end below each other. */
function numbers(title: string, cells: readonly string[]): string[] {
  const longest = cells.reduce((most, { length }) => Math.max(most, length), title.length);
  return cells.map((cell) => cell.padStart(longest));
}

/** By UTC. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
