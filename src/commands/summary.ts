/** What `popgate match` says at the end: what was met in all logs together. */
import type { NearMiss } from "../adapters/near-miss.ts";
import { reasonTexts, type Reason } from "../adapters/refusal.ts";
import type { Login } from "../model.ts";
import { shown } from "./shown.ts";

interface OfAdapter {
  logins: number;
  readonly clients: Set<string>;
  readonly users: Set<string>;
}

/** So many shapes of near misses are told. */
const mostMisses = 10;
/** Characters of a line, and of a pattern, that are shown beside the place where they part. */
const beside = 30;

/** Counts what is met. */
export class Summary {
  lines = 0;
  logins = 0;
  readonly #clients = new Set<string>();
  readonly #byAdapter = new Map<string, OfAdapter>();
  readonly #refused = new Map<Reason, { count: number; readonly first: string }>();
  readonly #notes: string[] = [];

  login({ client }: Login): void {
    this.logins++;
    this.#clients.add(client);
  }

  /** What each adapter came to is for people: all users are kept for it. */
  ofAdapter({ adapter, client, user }: Login): void {
    let own = this.#byAdapter.get(adapter);
    if (own === undefined) {
      own = { logins: 0, clients: new Set(), users: new Set() };
      this.#byAdapter.set(adapter, own);
    }
    own.logins++;
    own.clients.add(client);
    own.users.add(user);
  }

  /** `place` is where the line stands: `mail.log:12`. */
  refusal(reason: Reason, place: string): void {
    const known = this.#refused.get(reason);
    if (known === undefined) this.#refused.set(reason, { count: 1, first: place });
    else known.count++;
  }

  /** Something about a whole log. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** The totals as one JSON object. */
  get json(): string {
    const { lines, logins } = this;
    return JSON.stringify({ lines, logins, clients: this.#clients.size });
  }

  /** For people, with the near misses, the most frequent first. */
  text(misses: readonly NearMiss[]): string {
    const total = `${counted(this.lines, "line")}, ${counted(this.logins, "login")} of ${counted(this.#clients.size, "client")}`;
    const adapters = [...this.#byAdapter].map(
      ([name, { logins, clients, users }]) =>
        `  ${name}: ${counted(logins, "login")} of ${counted(clients.size, "client")} and ${counted(users.size, "user")}`,
    );
    const refused = [...this.#refused].map(
      ([reason, { count, first }]) =>
        `  ${counted(count, "line")} refused: ${reasonTexts[reason]} (first at ${first})`,
    );
    const notes = this.#notes.map((note) => `  ${note}`);
    return [total, ...adapters, ...refused, ...notes, ...missText(misses), ""].join("\n");
  }
}

function missText(misses: readonly NearMiss[]): string[] {
  if (misses.length === 0) return [];
  const rest = misses.slice(mostMisses);
  return [
    "near misses: lines of a known daemon that speak of a login and grant nothing, by their shape",
    ...misses
      .slice(0, mostMisses)
      .flatMap(({ count, program, shape, first, message, closest }) => [
        `  ${counted(count, "line")} like ${shown(program)}: ${shown(shape)} (first at ${first})`,
        `    ${closest.adapter} comes closest; it fits up to ${around(message.slice(0, closest.at).slice(-beside))}, where it has ${around(message.slice(closest.at, closest.at + beside))} and the pattern wants ${closest.expected.slice(0, beside)}`,
      ]),
    ...(rest.length === 0 ? [] : [`  and ${counted(rest.length, "shape")} more`]),
    "  (--explain NUMBER walks through one line)",
  ];
}

function around(text: string): string {
  return text === "" ? "its end" : `"${shown(text)}"`;
}

/** `1 line`, `2 lines`. */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}
