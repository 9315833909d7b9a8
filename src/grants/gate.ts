/** The gate: a login comes in past the guard and becomes a grant; when its time is over, it goes out. */
import type { Client, Networks } from "../client.ts";
import type { Clock } from "../clock.ts";
import { exit, KnownError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Grant, Login, Place, Revocation, Whom } from "../model.ts";
import { noCounts, type Counters } from "./counters.ts";
import { Grants } from "./grants.ts";
import { addressRefusalOf, reasonTexts, refusalOf, type Policy, type Reason } from "./guard.ts";
import { accountOf } from "./names.ts";
import { RefusalHistory, type RefusedLogin } from "./refusal-history.ts";
import { Refusals } from "./refusals.ts";
import { Revocations } from "./revocations.ts";

/** What the config says about who may relay, and for how long. */
export interface Rules {
  /** Milliseconds. */
  readonly ttl: number;
  readonly never: Networks;
  readonly allow: Networks;
  readonly maxGrants: number;
  readonly maxClientsPerUser: number;
}

interface GateParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly ownAddresses: () => ReadonlySet<Client>;
}

/** What a login changed: a newcomer, only the end of a grant, or nothing. */
export type Change = "granted" | "renewed" | "none";

/** The live grants under one set of rules. */
export class Gate {
  readonly #parts: GateParts;
  #rules: Rules;
  #policy: Policy;
  #grants: Grants;
  #refusals: Refusals;
  readonly #history = new RefusalHistory();
  readonly #revocations: Revocations;
  readonly #counts = noCounts();
  #forgotten = 0;

  constructor(parts: GateParts, rules: Rules) {
    this.#parts = parts;
    this.#rules = rules;
    this.#revocations = new Revocations(parts.clock);
    this.#policy = this.#policyNow();
    this.#grants = new Grants(parts.clock, rules.maxGrants);
    this.#refusals = new Refusals(rules.ttl);
  }

  /** Logins stamped before this grant nothing; ms since 1970. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#grants.size;
  }

  /** What became of all logins since popgate started; the numbers in it go on. */
  get counters(): Counters {
    return this.#counts;
  }

  /** The live grant of a client, or undefined. */
  of(client: Client): Grant | undefined {
    return this.#grants.of(client);
  }

  /** The latest refusals of a client's logins since popgate started, the newest first: five of each of the 2,000 latest clients. */
  refusalsOf(client: Client): readonly RefusedLogin[] {
    return this.#history.of(client);
  }

  /** The revocations in effect. */
  revocations(): readonly Revocation[] {
    return this.#revocations.all();
  }

  /** The grants that are live at this moment. */
  live(): Iterable<Grant> {
    return this.#grants.live();
  }

  /** Their clients. */
  clients(): Iterable<Client> {
    return this.#grants.clients();
  }

  /** Milliseconds until the next grant ends, Infinity if there is none. */
  untilNextExpiry(): number {
    return this.#grants.untilNextExpiry() ?? Infinity;
  }

  /** Lets a login in, if its time is not over, it was not forgotten, and the guard lets it pass. `place` is its line's. */
  take(login: Login, place: Partial<Place> = {}): Change {
    const { client, user, adapter, service, at } = login;
    const counts = this.#counts;
    counts.logins[adapter] = (counts.logins[adapter] ?? 0) + 1;
    if (at < this.#forgotten || at + this.#rules.ttl <= this.#parts.clock.now()) {
      counts.late++;
      return "none";
    }
    const reason = refusalOf(login, this.#policy, this.#grants);
    if (reason !== undefined) return this.#refuse(login, place, reason);
    const effect = this.#grants.grant(login, this.#rules.ttl, place);
    if (effect === "renewed") {
      counts.renewed++;
      return "renewed";
    }
    if (effect !== "granted") return "none";
    counts.granted++;
    const until = iso(this.#grants.of(client)?.expires ?? at);
    this.#parts.log.info("granted", { client, user, service, adapter, until });
    return "granted";
  }

  /**
   * Grants a client without a login, from now on for `ttl` ms, because of `why`, and takes back a revocation of that client. A
   * grant that ends later stays as it is. Gives the reason why the guard refuses it, or undefined: neither guard.never nor the
   * built-in refusals give way to an order (guard.allow lifts the latter), nor is there a place beyond guard.max_grants.
   */
  permit(client: Client, ttl: number, why: string): Reason | undefined {
    const reason = addressRefusalOf(client, this.#policy, this.#grants);
    if (reason !== undefined) return reason;
    this.#revocations.lift({ client });
    const order = { client, user: "", service: "", adapter: "", at: this.#parts.clock.now() };
    const effect = this.#grants.grant(order, ttl, { why });
    if (effect === "granted") this.#counts.granted++;
    if (effect === "renewed") this.#counts.renewed++;
    const until = iso(this.#grants.of(client)?.expires ?? order.at);
    this.#parts.log.info("granted by order", { client, until, why });
    return undefined;
  }

  /**
   * Ends the live grants of a client, or those whose latest login was the user's, and lets neither grant again before `until`
   * (wall clock, ms since 1970), across restarts. An instant that is not ahead ends the grants alone, and leaves an earlier
   * revocation as it is; else the latest one counts. Gives how many grants it ended.
   * @throws KnownError if too many are revoked already to remember this one; its grants are ended all the same
   */
  revoke(whom: Whom, until: number, why: string): number {
    const isAhead = until > this.#parts.clock.now();
    const isKept = !isAhead || this.#revocations.add({ ...whom, until, why });
    const ended = this.#end(this.#grantsOf(whom), why);
    if (!isKept) {
      throw new KnownError(
        `${nameOf(whom)} is not kept out: too many are revoked, or the name is too long; what was granted is ended`,
        exit.tempFail,
      );
    }
    if (isAhead) this.#parts.log.info("kept out", { ...whom, until: iso(until), why });
    return ended;
  }

  /** Takes a revocation back: the next login may grant again. Gives whether it was in effect. */
  lift(whom: Whom): boolean {
    const wasInEffect = this.#revocations.lift(whom);
    if (wasInEffect) this.#parts.log.info("kept out no more", { ...whom });
    return wasInEffect;
  }

  /**
   * Takes grants that were made before `saved`, ms since 1970, and revocations; what the guard refuses by now is dropped.
   */
  restore(
    grants: Iterable<Grant>,
    forgotten: number,
    saved?: number,
    revocations: Iterable<Revocation> = [],
  ): void {
    this.#forgotten = forgotten;
    for (const revocation of revocations) this.#revocations.add(revocation);
    for (const grant of grants) {
      const { client, expires, renewed, why } = grant;
      const reason =
        why === undefined
          ? refusalOf(grant, this.#policy, this.#grants)
          : addressRefusalOf(client, this.#policy, this.#grants);
      if (reason === undefined) {
        // A clock that was set back while popgate was down would lengthen what is left.
        const left = saved === undefined ? undefined : expires - saved;
        const ttl = why === undefined ? this.#rules.ttl : expires - renewed;
        this.#grants.restore(grant, ttl, left);
      } else {
        this.#tellRevoked(grant, reasonTexts[reason]);
      }
    }
  }

  /** Takes new rules; grants that do not pass them are revoked, and none is lengthened. */
  change(rules: Rules): void {
    const before = [...this.#grants.live()];
    this.#rules = rules;
    this.#policy = this.#policyNow();
    this.#grants = new Grants(this.#parts.clock, rules.maxGrants);
    this.#refusals = new Refusals(rules.ttl);
    this.restore(before, this.#forgotten);
  }

  /** Ends all grants; who logged in before now must log in again. */
  forget(): void {
    this.#forgotten = this.#parts.clock.now();
    this.#grants = new Grants(this.#parts.clock, this.#rules.maxGrants);
  }

  /** Lets those out whose time is over. Gives whether there were any. */
  expire(): boolean {
    this.#policy = this.#policyNow();
    const expired = this.#grants.expire();
    this.#counts.expired += expired.length;
    for (const { client, user } of expired) this.#parts.log.info("expired", { client, user });
    return expired.length > 0;
  }

  #refuse(login: Login, place: Partial<Place>, reason: Reason): "none" {
    const { clock, log } = this.#parts;
    const { client, user } = login;
    const why = reason === "revoked" ? this.#revocations.of(client, user)?.why : undefined;
    this.#counts.refused[reason]++;
    this.#history.add({ ...login, source: place.source, offset: place.offset, reason, why });
    if (this.#refusals.isNews(client, reason, clock.monotonic())) {
      log.info("refused", { client, user, reason: reasonTexts[reason], why });
    }
    return "none";
  }

  #grantsOf(whom: Whom): Grant[] {
    if ("client" in whom) return [this.#grants.of(whom.client) ?? []].flat();
    const account = accountOf(whom.user);
    if (this.#grants.clientsOf(account) === 0) return [];
    return [...this.#grants.live()].filter(({ user }) => accountOf(user) === account);
  }

  /** Ends live grants before their time. */
  #end(grants: readonly Grant[], reason: string): number {
    for (const grant of grants) {
      this.#grants.revoke(grant.client);
      this.#tellRevoked(grant, reason);
    }
    return grants.length;
  }

  #tellRevoked({ client, user }: Grant, reason: string): void {
    this.#counts.revoked++;
    this.#parts.log.info("revoked", { client, user, reason });
  }

  /** The host's own addresses may change at any time. */
  #policyNow(): Policy {
    return { ...this.#rules, own: this.#parts.ownAddresses(), revocations: this.#revocations };
  }
}

function nameOf(whom: Whom): string {
  return "client" in whom ? whom.client : whom.user;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
