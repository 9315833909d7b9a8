/** Who stays out whatever logs in: a client, or a user, whose logins from before an instant grant nothing. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Revocation, Whom } from "../model.ts";
import { accountOf } from "./names.ts";

/** Revocations that are remembered: an order is for the few, and all of them are saved in one line. */
const most = 10_000;

/** Characters of a reason. */
const longestWhy = 200;

/** Characters of a user's name; an address has at most 254 (RFC 5321 section 4.5.3.1). */
const longestUser = 512;

/**
 * What a login is judged by is its stamp, not the moment at which its line is read: a line that granted before the
 * revocation, or was refused by it, does not grant when it is read again. So each is remembered until no login that it is
 * about could grant for its age.
 */
export class Revocations {
  readonly #clock: Clock;
  readonly #longestTtl: () => number;
  readonly #clients = new Map<Client, Revocation>();
  readonly #users = new Map<string, Revocation>();
  /** Wall clock, ms since 1970: when it was last asked what is in effect. */
  #asked = 0;

  /** `longestTtl` gives the ms for which a login may count. */
  constructor(clock: Clock, longestTtl: () => number) {
    this.#clock = clock;
    this.#longestTtl = longestTtl;
  }

  /** The revocation by which a login stamped `at`, in ms since 1970, grants nothing, or undefined. */
  of(client: Client, user: string, at: number): Revocation | undefined {
    if (this.#size === 0) return undefined;
    const all = [this.#clients.get(client), this.#users.get(accountOf(user))];
    return all.find((one) => one !== undefined && at < one.until);
  }

  /** Takes one, in place of an earlier one of the same client or user. Gives false if there is no place for it. */
  add(revocation: Revocation): boolean {
    const cut = { ...revocation, why: revocation.why.slice(0, longestWhy) };
    if ("user" in cut && cut.user.length > longestUser) return false;
    this.#delete(cut);
    if (this.#isOver(cut)) return true;
    if (this.#size >= most && this.all().length >= most && !this.#makeRoom(cut)) return false;
    if ("client" in cut) this.#clients.set(cut.client, cut);
    else this.#users.set(accountOf(cut.user), cut);
    return true;
  }

  /** Has no login grant that is stamped by now, nor one that an earlier revocation is about. Gives false if there is no place. */
  mark(whom: Whom, why: string): boolean {
    const former = this.#get(whom);
    if (former !== undefined && former.until > this.#clock.now()) return true;
    return this.add({ ...whom, until: this.#clock.now() + 1, why });
  }

  /** Takes one back: logins that come from now on grant, and none that came before. Gives whether it was in effect. */
  lift(whom: Whom): boolean {
    const former = this.#get(whom);
    if (former === undefined || former.until <= this.#clock.now()) return false;
    // It is not in effect in this very millisecond either: what is published now goes by that.
    this.add({ ...whom, until: this.#clock.now(), why: former.why });
    return true;
  }

  /** All that are remembered. */
  all(): Revocation[] {
    for (const one of [...this.#clients.values(), ...this.#users.values()]) {
      if (this.#isOver(one)) this.#delete(one);
    }
    return [...this.#clients.values(), ...this.#users.values()];
  }

  /** Those in effect: by the others only lines that are read again do not grant. */
  inEffect(): Revocation[] {
    const now = this.#clock.now();
    return this.all().filter(({ until }) => until > now);
  }

  /** Whether any went out of effect since this was asked last, or, by a clock that was set back, came into it again. */
  expire(): boolean {
    const now = this.#clock.now();
    const [earlier, later] = [Math.min(this.#asked, now), Math.max(this.#asked, now)];
    this.#asked = now;
    const remembered = [...this.#clients.values(), ...this.#users.values()];
    return remembered.some(({ until }) => until > earlier && until <= later);
  }

  get #size(): number {
    return this.#clients.size + this.#users.size;
  }

  #isOver({ until }: Revocation): boolean {
    return until + this.#longestTtl() <= this.#clock.now();
  }

  /** One that only lines have to do with that are read again gives way, the oldest first. */
  #makeRoom({ until }: Revocation): boolean {
    let oldest: Revocation | undefined;
    for (const one of [...this.#clients.values(), ...this.#users.values()]) {
      if (oldest === undefined || one.until < oldest.until) oldest = one;
    }
    if (oldest === undefined || oldest.until > Math.min(until, this.#clock.now() + 1)) return false;
    this.#delete(oldest);
    return true;
  }

  #get(whom: Whom): Revocation | undefined {
    return "client" in whom
      ? this.#clients.get(whom.client)
      : this.#users.get(accountOf(whom.user));
  }

  #delete(whom: Whom): void {
    if ("client" in whom) this.#clients.delete(whom.client);
    else this.#users.delete(accountOf(whom.user));
  }
}
