/** The gate: a login comes in past the guard and becomes a grant; when its time is over, it goes out. */
import type { Client, Networks } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Grant, Login } from "../model.ts";
import { Grants } from "./grants.ts";
import { reasonTexts, refusalOf, type Policy } from "./guard.ts";
import { Refusals } from "./refusals.ts";

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
  #forgotten = 0;

  constructor(parts: GateParts, rules: Rules) {
    this.#parts = parts;
    this.#rules = rules;
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

  /** The grants that are live at this moment. */
  live(): Iterable<Grant> {
    return this.#grants.live();
  }

  /** Their clients, but for those whose grants end within `ahead` ms. */
  clients(ahead: number): Iterable<Client> {
    return this.#grants.clients(ahead);
  }

  /** Milliseconds until the next grant ends, Infinity if there is none. */
  untilNextExpiry(): number {
    return this.#grants.untilNextExpiry() ?? Infinity;
  }

  /** Lets a login in, if its time is not over, it was not forgotten, and the guard lets it pass. */
  take(login: Login): Change {
    const { clock, log } = this.#parts;
    const { client, user, adapter, service, at } = login;
    if (at < this.#forgotten || at + this.#rules.ttl <= clock.now()) return "none";
    const reason = refusalOf(login, this.#policy, this.#grants);
    if (reason !== undefined) {
      if (this.#refusals.isNews(client, reason, clock.monotonic())) {
        log.info("refused", { client, user, reason: reasonTexts[reason] });
      }
      return "none";
    }
    const effect = this.#grants.grant(login, this.#rules.ttl);
    if (effect === "renewed") return "renewed";
    if (effect !== "granted") return "none";
    const until = new Date(this.#grants.of(client)?.expires ?? at).toISOString();
    log.info("granted", { client, user, service, adapter, until });
    return "granted";
  }

  /** Takes grants that were made before `saved`, ms since 1970; what the guard refuses by now is dropped. */
  restore(grants: Iterable<Grant>, forgotten: number, saved?: number): void {
    this.#forgotten = forgotten;
    for (const grant of grants) {
      const { client, user, expires } = grant;
      const reason = refusalOf(grant, this.#policy, this.#grants);
      if (reason === undefined) {
        // A clock that was set back while popgate was down would lengthen what is left.
        this.#grants.restore(
          grant,
          this.#rules.ttl,
          saved === undefined ? undefined : expires - saved,
        );
      } else {
        this.#parts.log.info("revoked", { client, user, reason: reasonTexts[reason] });
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
    for (const { client, user } of expired) this.#parts.log.info("expired", { client, user });
    return expired.length > 0;
  }

  /** The host's own addresses may change at any time. */
  #policyNow(): Policy {
    return { ...this.#rules, own: this.#parts.ownAddresses() };
  }
}
