/** Who came, from where, and how often: what an audit says of those who depend on POP before SMTP. Pure. */
import type { Client } from "../client.ts";
import type { Recorded } from "./line.ts";

const day = 86_400_000;

/** What is remembered at a time, in pairs of a user and a client, or a reason and a client; more is told to be left out. */
const mostPairs = 300_000;
/** Of one user: years. */
const mostDays = 3660;
/** Words that a file may have for the same thing; there are a few. */
const mostWords = 100;

/** One client of a user. */
export interface Visitor {
  readonly client: Client;
  readonly logins: number;
  /** Wall clock, ms since 1970: the latest login. */
  readonly last: number;
}

/** One user, whatever the case in which the name is written. */
export interface Dependent {
  /** As it was written last. */
  readonly user: string;
  readonly logins: number;
  /** Days, by UTC, on which there was a login. */
  readonly days: number;
  /** Wall clock, ms since 1970. */
  readonly first: number;
  readonly last: number;
  /** Those remembered, the latest first; whether there were more. */
  readonly clients: readonly Visitor[];
  readonly more: boolean;
  readonly services: readonly string[];
  readonly adapters: readonly string[];
}

/** Refusals for one reason, each client's told once a ttl. */
export interface Refused {
  readonly reason: string;
  readonly times: number;
  readonly clients: number;
  /** Wall clock, ms since 1970. */
  readonly last: number;
}

interface Gathered {
  user: string;
  logins: number;
  first: number;
  last: number;
  more: boolean;
  readonly days: Set<number>;
  readonly clients: Map<Client, { logins: number; last: number }>;
  readonly services: Set<string>;
  readonly adapters: Set<string>;
}

/** Takes events in any order. Its memory is bounded, whatever the files hold. */
export class Dependents {
  readonly #since: number;
  readonly #keyOf: (user: string) => string;
  readonly #users = new Map<string, Gathered>();
  readonly #refused = new Map<string, { times: number; last: number; clients: Set<Client> }>();
  readonly #clients = new Set<Client>();
  #pairs = 0;
  /** Logins of users for whom there was no room. */
  leftOut = 0;
  /** Events that the audit says it lost. */
  lost = 0;
  /** How often an administrator granted. */
  ordered = 0;
  /** Logins in all. */
  logins = 0;
  /** Wall clock, ms since 1970, of the first and the latest event that counts; undefined if there is none. */
  first: number | undefined;
  last: number | undefined;

  /** Counts what happened at `since`, ms since 1970, or later. `keyOf` gives the one name of a user. */
  constructor(since: number, keyOf: (user: string) => string) {
    this.#since = since;
    this.#keyOf = keyOf;
  }

  /** Clients of all users. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Takes one event. */
  take(recorded: Recorded): void {
    const { event, time, login = time, user, logins = 1, reason, client } = recorded;
    if (login < this.#since) return;
    this.first = Math.min(this.first ?? login, login);
    this.last = Math.max(this.last ?? login, login);
    if (event === "lost") this.lost += recorded.events ?? 0;
    else if (client === undefined) return;
    else if (event === "refused") this.#refuse(reason ?? "", client, login);
    else if (event !== "granted" && event !== "renewed") return;
    else if (user === undefined) this.ordered++;
    else this.#count({ ...recorded, user, client, login, logins });
  }

  /** Those with most logins first. */
  users(): readonly Dependent[] {
    return [...this.#users.values()].map(dependentOf).sort(byLogins);
  }

  /** The most frequent reason first. */
  refusals(): readonly Refused[] {
    return [...this.#refused]
      .map(([reason, { times, last, clients }]) => ({ reason, times, last, clients: clients.size }))
      .sort((a, b) => b.times - a.times || (a.reason < b.reason ? -1 : 1));
  }

  #count(visit: Recorded & { user: string; client: Client; login: number; logins: number }): void {
    const { user, client, login, logins, service, adapter } = visit;
    this.logins += logins;
    const key = this.#keyOf(user);
    const known = this.#users.get(key);
    if (known === undefined && this.#pairs >= mostPairs) {
      this.leftOut += logins;
      return;
    }
    const gathered = known ?? newcomer(user, login);
    if (known === undefined) this.#users.set(key, gathered);
    gathered.logins += logins;
    gathered.first = Math.min(gathered.first, login);
    if (login >= gathered.last) [gathered.last, gathered.user] = [login, user];
    if (gathered.days.size < mostDays) gathered.days.add(Math.floor(login / day));
    if (service !== undefined && gathered.services.size < mostWords) gathered.services.add(service);
    if (adapter !== undefined && gathered.adapters.size < mostWords) gathered.adapters.add(adapter);
    const visitor = gathered.clients.get(client);
    if (visitor !== undefined) {
      visitor.logins += logins;
      visitor.last = Math.max(visitor.last, login);
    } else if (this.#hasRoom()) {
      gathered.clients.set(client, { logins, last: login });
      this.#clients.add(client);
    } else gathered.more = true;
  }

  #refuse(reason: string, client: Client, at: number): void {
    const none = { times: 0, last: at, clients: new Set<Client>() };
    const refused = this.#refused.get(reason) ?? none;
    if (refused === none && this.#refused.size >= mostWords) return;
    this.#refused.set(reason, refused);
    refused.times++;
    refused.last = Math.max(refused.last, at);
    if (!refused.clients.has(client) && this.#hasRoom()) refused.clients.add(client);
  }

  #hasRoom(): boolean {
    return this.#pairs < mostPairs && ++this.#pairs > 0;
  }
}

function newcomer(user: string, at: number): Gathered {
  return {
    user,
    logins: 0,
    first: at,
    last: at,
    more: false,
    days: new Set(),
    clients: new Map(),
    services: new Set(),
    adapters: new Set(),
  };
}

function dependentOf({ days, clients, services, adapters, ...rest }: Gathered): Dependent {
  return {
    ...rest,
    days: days.size,
    clients: [...clients]
      .map(([client, { logins, last }]) => ({ client, logins, last }))
      .sort((a, b) => b.last - a.last || (a.client < b.client ? -1 : 1)),
    services: [...services].sort(),
    adapters: [...adapters].sort(),
  };
}

function byLogins(a: Dependent, b: Dependent): number {
  return b.logins - a.logins || (a.user < b.user ? -1 : 1);
}
