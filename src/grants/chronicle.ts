/** What happens at the gate: told in the log, counted, and the latest refusals remembered. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Grant, Login, Place } from "../model.ts";
import { noCounts, type Counters } from "./counters.ts";
import { reasonTexts, type Reason } from "./guard.ts";
import { proxyRemedy, ProxySign } from "./proxy-sign.ts";
import { RefusalHistory, type RefusedLogin } from "./refusal-history.ts";
import { Refusals } from "./refusals.ts";

interface ChronicleParts {
  readonly clock: Clock;
  readonly log: Log;
}

/** Refusals that have to do with the address alone. */
const addressReasons: ReadonlySet<Reason> = new Set([
  "never",
  "private",
  "own",
  "max_users_per_client",
]);

/** Hears of everything once. */
export class Chronicle {
  readonly #parts: ChronicleParts;
  readonly #counts = noCounts();
  readonly #history = new RefusalHistory();
  readonly #proxySign: ProxySign;
  #refusals: Refusals;

  /** A refusal is told again after `span` ms. */
  constructor(parts: ChronicleParts, span: number) {
    this.#parts = parts;
    this.#proxySign = new ProxySign(parts.clock.monotonic());
    this.#refusals = new Refusals(span);
  }

  get counters(): Counters {
    return this.#counts;
  }

  /** The latest refusals of a client, the newest first. */
  refusalsOf(client: Client): readonly RefusedLogin[] {
    return this.#history.of(client);
  }

  /** What was refused is told anew, for there are new rules. */
  restart(span: number): void {
    this.#refusals = new Refusals(span);
  }

  /** A login came, whatever becomes of it. */
  came(adapter: string): void {
    const { logins } = this.#counts;
    logins[adapter] = (logins[adapter] ?? 0) + 1;
  }

  /** Its time was over, or it was forgotten. */
  late(): void {
    this.#counts.late++;
  }

  /** The guard let a client's login pass. */
  passed(client: Client): void {
    this.#proxySign.see(client, false);
  }

  /** `why` is that of the revocation, if there is one. */
  refused(login: Login, { source, offset }: Partial<Place>, reason: Reason, why?: string): void {
    const { at, adapter, service, client, user } = login;
    this.#counts.refused[reason]++;
    this.#history.add({ at, adapter, service, user, client, reason, source, offset, why });
    this.#proxySign.see(client, addressReasons.has(reason));
    if (!this.#isNews(client, reason)) return;
    this.#parts.log.info("refused", { client, user, reason: reasonTexts[reason], why });
  }

  /** More than `users` came from a client, and may go on to. */
  crowded(client: Client, users: number): void {
    const reason = "max_users_per_client";
    if (!this.#isNews(client, reason)) return;
    this.#parts.log.warning("many users", {
      client,
      more_than: users,
      reason: reasonTexts[reason],
    });
  }

  granted({ client, user, service, adapter, expires }: Grant): void {
    this.#counts.granted++;
    const until = iso(expires);
    this.#parts.log.info("granted", { client, user, service, adapter, until });
  }

  /** Whoever had a grant already has a longer one now. */
  ordered({ client, expires, why }: Grant, effect: "granted" | "renewed"): void {
    this.#counts[effect]++;
    this.#parts.log.info("granted by order", { client, until: iso(expires), why });
  }

  renewed(): void {
    this.#counts.renewed++;
  }

  /** A grant of before popgate started is still there, whatever the guard says of it by now. */
  restored(): void {
    this.#counts.restored++;
  }

  expired(grants: readonly Grant[]): void {
    this.#counts.expired += grants.length;
    for (const { client, user } of grants) this.#parts.log.info("expired", { client, user });
  }

  revoked({ client, user }: Grant, reason: string): void {
    this.#counts.revoked++;
    this.#parts.log.info("revoked", { client, user, reason });
  }

  /** All that were live were ended at once: there may be a hundred thousand, so that they are not told one by one. */
  forgot(grants: readonly Grant[]): void {
    this.#counts.revoked += grants.length;
    this.#parts.log.info("all grants ended", { grants: grants.length });
  }

  /** Tells what shows in the long run. Call it every few seconds. */
  step(): void {
    const { clock, log } = this.#parts;
    const sign = this.#proxySign.step(clock.monotonic());
    if (sign === undefined) return;
    log.warning("every login of an hour came from one refused address", {
      ...sign,
      reason: "a proxy or webmail hides the clients",
      remedy: proxyRemedy,
    });
  }

  #isNews(client: Client, reason: Reason): boolean {
    return this.#refusals.isNews(client, reason, this.#parts.clock.monotonic());
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
