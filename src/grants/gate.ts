/** The gate: a login comes in past the guard and becomes a grant; when its time is over, it goes out. */
import type { Audit } from "../audit-event.ts";
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import { exit, KnownError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Grant, Login, Place, Revocation, Whom } from "../model.ts";
import { Chronicle } from "./chronicle.ts";
import type { Counters } from "./counters.ts";
import { Crowds } from "./crowds.ts";
import { exclusionsOf, type ExcludedIn } from "./exclusions.ts";
import { addressRefusalOf, reasonTexts, refusalOf, type Policy, type Reason } from "./guard.ts";
import { Ledger } from "./ledger.ts";
import { OwnAddresses } from "./own-addresses.ts";
import type { RefusedLogin } from "./refusal-history.ts";
import { Revocations } from "./revocations.ts";
import type { Rules } from "./rules.ts";

interface GateParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly ownAddresses: () => ReadonlySet<Client>;
  readonly audit?: Pick<Audit, "record"> | undefined;
}

/** What a login changed: a newcomer; the end of a grant, to later or sooner; grants that ended by it; or nothing. */
export type Change = "granted" | "renewed" | "shortened" | "revoked" | "none";

/** Those that have to do with how many are granted. */
const countedReasons: ReadonlySet<Reason> = new Set(["max_grants", "max_clients_per_user"]);

/** The live grants under one set of rules. */
export class Gate {
  readonly #parts: GateParts;
  readonly #chronicle: Chronicle;
  readonly #revocations: Revocations;
  readonly #own: OwnAddresses;
  #rules: Rules;
  #policy: Policy;
  readonly #ledger: Ledger;
  #crowds: Crowds;
  #forgotten = 0;

  constructor(parts: GateParts, rules: Rules) {
    this.#parts = parts;
    this.#chronicle = new Chronicle(parts, rules.ttl);
    this.#revocations = new Revocations(parts.clock, () => this.#rules.longestTtl);
    this.#own = new OwnAddresses(parts);
    this.#rules = rules;
    this.#policy = this.#policyNow();
    this.#ledger = new Ledger(parts.clock, this.#chronicle, rules.maxGrants);
    this.#crowds = new Crowds(rules.maxUsersPerClient);
  }

  /** Logins stamped before this grant nothing; ms since 1970. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#held.size;
  }

  /** What became of all logins since popgate started; the numbers in it go on. */
  get counters(): Counters {
    return this.#chronicle.counters;
  }

  /** The live grant of a client, or undefined. */
  of(client: Client): Grant | undefined {
    return this.#held.of(client);
  }

  /** The latest refusals of a client's logins since popgate started, the newest first: five of each of the 1,000 latest clients. */
  refusalsOf(client: Client): readonly RefusedLogin[] {
    return this.#chronicle.refusalsOf(client);
  }

  /** Why no login of this client would be granted now, whoever logs in; undefined if one might be. */
  addressRefusalOf(client: Client): Reason | undefined {
    return addressRefusalOf(client, this.#policy, this.#held);
  }

  /** The revocations that are remembered. */
  revocations(): readonly Revocation[] {
    return this.#revocations.all();
  }

  /** What must not relay although somebody in the same /64 may, as it is now. */
  excluded(): ExcludedIn {
    return exclusionsOf(this.#policy, this.#revocations.inEffect());
  }

  /** The grants that are live at this moment. */
  live(): readonly Grant[] {
    return this.#held.live();
  }

  /** Their clients, but for those whose grants end within `ahead` ms. */
  clients(ahead: number): readonly Client[] {
    return this.#held.clients(ahead);
  }

  /** Milliseconds until the next grant ends, Infinity if there is none. */
  untilNextExpiry(): number {
    return this.#held.untilNextExpiry() ?? Infinity;
  }

  /** Lets a login in, if its time is not over, it was not forgotten, and the guard lets it pass. `place` is its line's. */
  take(login: Login, place: Partial<Place> = {}): Change {
    const { client, user, adapter, at } = login;
    this.#chronicle.came(adapter);
    const now = this.#parts.clock.now();
    const ttl = this.#rules.ttlOf(adapter, place.source);
    if (at < this.#forgotten || at + ttl <= now) {
      this.#chronicle.late();
      return "none";
    }
    const live = this.#held.of(client);
    let reason = refusalOf(login, this.#policy, this.#held, live);
    // A machine that has slept hears of logins before its timers let anybody out.
    if (reason !== undefined && countedReasons.has(reason) && this.#ledger.makeRoom()) {
      reason = refusalOf(login, this.#policy, this.#held, live);
    }
    if (reason !== undefined) {
      const why = reason === "revoked" ? this.#revocations.of(client, user, at)?.why : undefined;
      this.#chronicle.refused(login, place, reason, why);
      const isHeld = reason === "max_clients_per_user" && this.#rules.tooManyClients === "hold";
      return isHeld && this.#holdBack(user) ? "revoked" : "none";
    }
    const users = this.#crowds.join(login, at + ttl, live, now);
    if (users > this.#rules.maxUsersPerClient) return this.#meetCrowd(login, place, ttl, live);
    return this.#ledger.grant(login, ttl, place);
  }

  /**
   * Grants a client without a login, from now on for `ttl` ms, because of `why`, and takes back a revocation of that client. A
   * grant that ends later stays as it is. Gives the reason why the guard refuses it, or undefined: neither guard.never nor the
   * built-in refusals give way to an order (guard.allow lifts the latter), nor is there a place beyond guard.max_grants.
   */
  permit(client: Client, ttl: number, why: string): Reason | undefined {
    if (this.#held.full) this.#ledger.makeRoom();
    const reason = addressRefusalOf(client, this.#policy, this.#held);
    if (reason !== undefined) return reason;
    if (this.#revocations.lift({ client })) this.#chronicle.keptOutNoMore({ client });
    this.#ledger.permit(client, ttl, why);
    return undefined;
  }

  /**
   * Ends the live grants of a client, or those whose latest login was the user's, and lets neither grant again by a login that is
   * stamped by now, or before `until` (wall clock, ms since 1970), across restarts. An instant that is not ahead leaves an
   * earlier revocation as it is; else the latest one counts. Gives how many grants it ended.
   * @throws KnownError if too many are revoked already to remember this one; its grants are ended all the same
   */
  revoke(whom: Whom, until: number, why: string): number {
    const isAhead = until > this.#parts.clock.now();
    const revocation = { ...whom, until, why };
    const isKept = isAhead ? this.#revocations.add(revocation) : this.#revocations.mark(whom, why);
    const ended = this.#endAllOf(whom, why);
    if (!isKept) {
      throw new KnownError(
        `${"client" in whom ? whom.client : whom.user} is not kept out: too many are, or the name is too long; what was granted is ended`,
        exit.tempFail,
      );
    }
    if (isAhead) this.#chronicle.keptOut(revocation, "info");
    return ended;
  }

  /** Takes grants that were made before `saved`, ms since 1970, and revocations; what the guard refuses by now is dropped. */
  async restore(
    grants: readonly Grant[],
    forgotten: number,
    saved?: number,
    revocations: Iterable<Revocation> = [],
  ): Promise<void> {
    this.#forgotten = forgotten;
    for (const revocation of revocations) this.#revocations.add(revocation);
    await this.#ledger.restore(grants, saved, this.#terms);
  }

  /**
   * Takes new rules; grants that do not pass them are revoked, and none is lengthened. A login that comes before all have passed is
   * judged by the new ones.
   */
  async change(rules: Rules): Promise<void> {
    this.#crowds = this.#crowds.under(rules.maxUsersPerClient);
    this.#rules = rules;
    this.#policy = this.#policyNow();
    this.#chronicle.restart(rules.ttl);
    await this.#ledger.change(rules.maxGrants, this.#terms);
  }

  /** Ends all grants; who logged in by now must log in again. */
  forget(): void {
    this.#forgotten = this.#parts.clock.now() + 1;
    this.#ledger.clear(this.#rules.maxGrants);
  }

  /**
   * Lets those out whose time is over, and those whose address has become the host's own. Gives whether there were any, or what is
   * excluded has changed. Call it every few seconds.
   */
  expire(): boolean {
    const { clock } = this.#parts;
    const anyExpired = this.#ledger.expire();
    this.#chronicle.step();
    this.#crowds.sweep(clock.now(), clock.monotonic());
    const hasChanged = [this.#revokeOwn(), this.#revocations.expire()].includes(true);
    return hasChanged || anyExpired;
  }

  /** Does what the rules say of a client from which too many users come. What was granted by order is not theirs to end. */
  #meetCrowd(login: Login, place: Partial<Place>, ttl: number, live: Grant | undefined): Change {
    const { client, at } = login;
    const { tooManyUsers, maxUsersPerClient, shortTtl } = this.#rules;
    const isOrdered = live?.why !== undefined;
    if (tooManyUsers === "refuse") {
      this.#chronicle.refused(login, place, "max_users_per_client");
      if (live === undefined || isOrdered) return "none";
      this.#ledger.end([live], reasonTexts.max_users_per_client);
      return "revoked";
    }
    this.#chronicle.crowded(client, maxUsersPerClient);
    if (tooManyUsers === "warn" || shortTtl >= ttl) return this.#ledger.grant(login, ttl, place);
    const effect =
      live === undefined || isOrdered
        ? "unchanged"
        : this.#ledger.shorten(live, at, shortTtl, "max_users_per_client");
    const change = this.#ledger.grant(login, shortTtl, place);
    if (effect === "unchanged") return change;
    return this.#held.of(client) === undefined ? "revoked" : "shortened";
  }

  /** Ends all grants of a user that has too many clients, and keeps him out. Gives whether there were any. */
  #holdBack(user: string): boolean {
    const { clock, log } = this.#parts;
    const why = reasonTexts.max_clients_per_user;
    const revocation = { user, until: clock.now() + this.#rules.hold, why };
    if (this.#revocations.add(revocation)) this.#chronicle.keptOut(revocation, "warning");
    else log.error("not kept out: too many are, or the name is too long", { user, why });
    return this.#endAllOf({ user }, why) > 0;
  }

  /** Ends the grants of addresses that have become the host's own. Gives whether it has got or lost any. */
  #revokeOwn(): boolean {
    if (!this.#own.refresh()) return false;
    this.#policy = this.#policyNow();
    const own = [...this.#own.all].filter((client) => !this.#rules.allow.has(client));
    for (const client of own) this.#ledger.endAllOf({ client }, reasonTexts.own);
    return true;
  }

  /** Ends them, whoever else's logins from before they rest on, too. Gives how many. */
  #endAllOf(whom: Whom, why: string): number {
    const ended = this.#ledger.endAllOf(whom, why);
    const about = "user" in whom ? `user ${whom.user}: ${why}` : why;
    for (const { client } of ended) this.#revocations.mark({ client }, about);
    return ended.length;
  }

  get #held(): Ledger["held"] {
    return this.#ledger.held;
  }

  /** Of a grant that was made before. What was granted by order has an end of its own, and no user. */
  get #terms(): Parameters<Ledger["restore"]>[2] {
    return {
      refusalOf: (grant, before) =>
        grant.why === undefined
          ? refusalOf({ ...grant, at: grant.renewed }, this.#policy, before)
          : addressRefusalOf(grant.client, this.#policy, before),
      ttlOf: ({ why, adapter, source }) =>
        why === undefined ? this.#rules.ttlOf(adapter, source) : Infinity,
    };
  }

  #policyNow(): Policy {
    return { ...this.#rules, own: this.#own.all, revocations: this.#revocations };
  }
}
