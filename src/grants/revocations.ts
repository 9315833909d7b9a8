/** Who stays out until an instant, whatever logs in: a client, or a user. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Revocation, Whom } from "../model.ts";
import { accountOf } from "./names.ts";

/** Revocations in effect: an order is for the few, and all of them are saved in one line. */
const most = 10_000;

/** Characters of a reason. */
const longestWhy = 200;

/** Characters of a user's name; an address has at most 254 (RFC 5321 section 4.5.3.1). */
const longestUser = 512;

/** The revocations in effect. Each ends by the wall clock, at the instant that was named. */
export class Revocations {
  readonly #clock: Clock;
  readonly #clients = new Map<Client, Revocation>();
  readonly #users = new Map<string, Revocation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The revocation that keeps this login out, or undefined. */
  of(client: Client, user: string): Revocation | undefined {
    if (this.#clients.size === 0 && this.#users.size === 0) return undefined;
    return this.#inEffect(this.#clients, client) ?? this.#inEffect(this.#users, accountOf(user));
  }

  /** Takes one, in place of an earlier one of the same client or user. Gives false if there is no place for it. */
  add(revocation: Revocation): boolean {
    const cut = { ...revocation, why: revocation.why.slice(0, longestWhy) };
    if ("user" in cut && cut.user.length > longestUser) return false;
    this.lift(cut);
    if (cut.until <= this.#clock.now()) return true;
    if (this.#size() >= most && this.all().length >= most) return false;
    if ("client" in cut) this.#clients.set(cut.client, cut);
    else this.#users.set(accountOf(cut.user), cut);
    return true;
  }

  /** Ends one before its time. Gives whether it was in effect. */
  lift(whom: Whom): boolean {
    const until =
      "client" in whom
        ? taken(this.#clients, whom.client)?.until
        : taken(this.#users, accountOf(whom.user))?.until;
    return until !== undefined && until > this.#clock.now();
  }

  /** All that are in effect. */
  all(): Revocation[] {
    for (const client of this.#clients.keys()) this.#inEffect(this.#clients, client);
    for (const account of this.#users.keys()) this.#inEffect(this.#users, account);
    return [...this.#clients.values(), ...this.#users.values()];
  }

  /** Drops those whose time is over. Gives whether there were any. */
  expire(): boolean {
    const before = this.#size();
    return this.all().length < before;
  }

  #size(): number {
    return this.#clients.size + this.#users.size;
  }

  #inEffect<Key>(among: Map<Key, Revocation>, key: Key): Revocation | undefined {
    const revocation = among.get(key);
    if (revocation === undefined || revocation.until > this.#clock.now()) return revocation;
    among.delete(key);
    return undefined;
  }
}

function taken<Key>(among: Map<Key, Revocation>, key: Key): Revocation | undefined {
  const revocation = among.get(key);
  among.delete(key);
  return revocation;
}
