/** The live grants and the account of them: none begins or ends without the chronicle hearing of it. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Grant, Login, Place, Whom } from "../model.ts";
import type { Chronicle } from "./chronicle.ts";
import { Grants } from "./grants.ts";
import { reasonTexts, type Held as Counted, type Reason } from "./guard.ts";
import { Passed } from "./passed.ts";
import { inSteps } from "./steps.ts";

/** By what a grant that was made before is let in again. */
interface Terms {
  /** Why it may not, by the grants that were let in before it; undefined if it may. */
  readonly refusalOf: (grant: Grant, before: Counted) => Reason | undefined;
  /** For how many ms its latest login counts. */
  readonly ttlOf: (grant: Grant) => number;
}

type Held = Pick<
  Grants,
  "of" | "full" | "size" | "live" | "clients" | "clientsOf" | "untilNextExpiry"
>;

const overNow = "its time is over by the ttl that counts now";

/** Counted, there are as many as were granted and restored less those that expired and were revoked, at any time. */
export class Ledger {
  readonly #clock: Clock;
  readonly #chronicle: Chronicle;
  #grants: Grants;
  /** Whether some were let out that no `expire` has told of. */
  #untold = false;

  /** Holds at most `max` grants. */
  constructor(clock: Clock, chronicle: Chronicle, max: number) {
    this.#clock = clock;
    this.#chronicle = chronicle;
    this.#grants = new Grants(clock, max);
  }

  /** What is granted now. */
  get held(): Held {
    return this.#grants;
  }

  /** Grants a login, for `ttl` ms from its time. */
  grant(login: Login, ttl: number, place: Partial<Place>): "granted" | "renewed" | "none" {
    // One that is over stays for `expire` unless it is granted anew: whoever asks for that has the tables follow.
    if (login.at + ttl <= this.#clock.now()) return "none";
    this.#settle(login.client);
    const effect = this.#grants.grant(login, ttl, place);
    this.#chronicle.passed(login, place, effect, this.#grants.of(login.client));
    return effect === "granted" || effect === "renewed" ? effect : "none";
  }

  /** Grants a client from now on for `ttl` ms, because of `why`; a grant that ends later stays as it is. */
  permit(client: Client, ttl: number, why: string): void {
    this.#settle(client);
    const order = { client, user: "", service: "", adapter: "", at: this.#clock.now() };
    const effect = this.#grants.grant(order, ttl, { why });
    const granted = this.#grants.of(client);
    if (granted === undefined || (effect !== "granted" && effect !== "renewed")) return;
    this.#chronicle.ordered(granted, effect);
  }

  /** Has a live grant end `ttl` ms after its latest login, or one that is stamped `at`. Gives whether that is sooner, or over. */
  shorten(grant: Grant, at: number, ttl: number, reason: Reason): "sooner" | "ended" | "unchanged" {
    if (!this.#grants.shorten(grant.client, at, ttl)) return "unchanged";
    if (this.#grants.of(grant.client) !== undefined) return "sooner";
    this.#chronicle.revoked(grant, reasonTexts[reason]);
    return "ended";
  }

  /**
   * Ends the grants of a client, or those whose latest login was the user's, before their time, and gives them. None comes back
   * that is over by a wall clock which may be set back.
   */
  endAllOf(whom: Whom, reason: string): readonly Grant[] {
    if ("client" in whom) this.#settle(whom.client);
    const grants =
      "user" in whom ? this.#grants.ofUser(whom.user) : [this.#grants.of(whom.client) ?? []].flat();
    this.end(grants, reason);
    return grants;
  }

  /** Ends grants before their time. Gives how many. */
  end(grants: readonly Grant[], reason: string): number {
    for (const grant of grants) {
      this.#grants.revoke(grant.client);
      this.#chronicle.revoked(grant, reason);
    }
    return grants.length;
  }

  /** Lets those out whose time is over. Gives whether there were any since it was called last: the tables have them still. */
  expire(): boolean {
    this.makeRoom();
    const any = this.#untold;
    this.#untold = false;
    return any;
  }

  /** Lets out those who take places although their time is over; `expire` tells of them. Gives whether there were any. */
  makeRoom(): boolean {
    const expired = this.#grants.expire();
    this.#chronicle.expired(expired);
    if (expired.length > 0) this.#untold = true;
    return expired.length > 0;
  }

  /** Ends all of them. */
  clear(max: number): void {
    const now = this.#clock.now();
    const all = this.#grants.all();
    this.#grants = new Grants(this.#clock, max);
    this.#chronicle.expired(all.filter(({ expires }) => expires <= now));
    this.#chronicle.forgot(all.filter(({ expires }) => expires > now));
  }

  /** Takes grants of before `saved`, ms since 1970, where that is known: none has more time left than it had then. */
  async restore(
    grants: readonly Grant[],
    saved: number | undefined,
    { refusalOf, ttlOf }: Terms,
  ): Promise<void> {
    for await (const grant of inSteps(grants)) {
      const left = saved === undefined ? Infinity : grant.expires - saved;
      if (Math.min(grant.expires - this.#clock.now(), left) <= 0) continue;
      this.#chronicle.restored();
      const reason = refusalOf(grant, this.#grants);
      if (reason !== undefined) this.#chronicle.revoked(grant, reasonTexts[reason]);
      else if (!this.#grants.restore(grant, ttlOf(grant), left))
        this.#chronicle.revoked(grant, overNow);
    }
  }

  /**
   * Has all of them pass anew under other terms, at most `max`, those first that end last; none is lengthened. Who is over is let
   * out: a wall clock that is set back would bring back one who did not pass.
   */
  async change(max: number, { refusalOf, ttlOf }: Terms): Promise<void> {
    this.#grants.limit(max);
    const passed = new Passed(max);
    for await (const { client } of inSteps(this.#grants.all())) {
      this.#settle(client);
      const grant = this.#grants.of(client);
      if (grant === undefined) continue;
      const reason = refusalOf(grant, passed);
      if (reason !== undefined) this.end([grant], reasonTexts[reason]);
      else {
        this.#grants.shorten(client, -Infinity, ttlOf(grant));
        if (this.#grants.of(client) === undefined) this.#chronicle.revoked(grant, overNow);
        else passed.add(grant.user);
      }
    }
  }

  /** One whose time is over is let out before another takes its place, though `expire` has not come round yet. */
  #settle(client: Client): void {
    const over = this.#grants.dropOver(client);
    if (over === undefined) return;
    this.#chronicle.expired([over]);
    this.#untold = true;
  }
}
