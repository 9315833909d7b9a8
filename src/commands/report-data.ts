/** The report for programs: JSON Lines, and CSV as RFC 4180 has it. Pure. */
import type { Dependent, Dependents } from "../audit/dependents.ts";
import { reasonTexts } from "../grants/guard.ts";
import { shown } from "./shown.ts";

/** Gives an object a user, one for each reason of refusals, and the totals last; each line with its line feed. */
export function* reportJson(dependents: Dependents): Generator<string> {
  for (const { user, logins, days, first, last, clients, more, ...words } of dependents.users()) {
    yield jsonLine({
      kind: "user",
      user,
      logins,
      days,
      first: iso(first),
      last: iso(last),
      ...words,
      clients: clients.map((one) => ({ ...one, last: iso(one.last) })),
      more_clients: more ? true : undefined,
    });
  }
  for (const { reason, times, clients, last } of dependents.refusals()) {
    const text = reasonText(reason);
    yield jsonLine({ kind: "refusals", reason, text, times, clients, last: iso(last) });
  }
  const { logins, clients, ordered, lost, first, last } = dependents;
  const users = dependents.users().length;
  const span = { first: iso(first), last: iso(last) };
  yield jsonLine({ kind: "total", users, clients, logins, ordered, lost, ...span });
}

/** What people call a reason; one of a later version has its own word. */
export function reasonText(reason: string): string {
  return Object.hasOwn(reasonTexts, reason)
    ? reasonTexts[reason as keyof typeof reasonTexts]
    : shown(reason);
}

const columns: readonly (readonly [title: string, cell: (one: Dependent) => string])[] = [
  ["user", ({ user }) => user],
  ["logins", ({ logins }) => String(logins)],
  ["days", ({ days }) => String(days)],
  ["clients", ({ clients }) => String(clients.length)],
  ["latest_client", ({ clients: [latest] }) => latest?.client ?? ""],
  ["first", ({ first }) => iso(first) ?? ""],
  ["last", ({ last }) => iso(last) ?? ""],
  ["services", ({ services }) => services.join(" ")],
];

/** Gives a row of titles and a row a user, each with its CRLF. */
export function* reportCsv(dependents: Dependents): Generator<string> {
  yield `${columns.map(([title]) => title).join(",")}\r\n`;
  for (const one of dependents.users()) {
    yield `${columns.map(([, cell]) => csvCell(cell(one))).join(",")}\r\n`;
  }
}

/**
 * A spreadsheet takes what begins like a formula for one, and computes it: such a cell gets an apostrophe in front, as OWASP
 * advises. One with what separates cells in some countries is quoted, or the rest of it would be a cell of its own. Control
 * characters are question marks.
 */
function csvCell(text: string): string {
  const harmless = shown(text).replace(/^(?= *[=+\-@＝＋－＠|%])/u, "'");
  return /[",;]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
