/** How many users log in from one client: where there are many, the address may stand for everybody. */
import type { Client } from "../client.ts";
import type { Grant, Login } from "../model.ts";
import { accountOf } from "./names.ts";

/** Users that are remembered, of all clients together; beyond that the crowd that began first is forgotten. */
const most = 100_000;

/** Milliseconds between two looks at all crowds. */
const pause = 60_000;

/** The users of those clients that have more than one; of the others, the grant knows the user. */
export class Crowds {
  readonly #max: number;
  /** By client and user: when the time of the user's latest login is over, in ms since 1970. The latest login stands last. */
  readonly #byClient = new Map<Client, Map<string, number>>();
  #users = 0;
  #swept = -Infinity;

  /** A crowd has more than `max` users. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The crowds under another maximum: they are the same under the same one, and begin anew otherwise. */
  under(max: number): Crowds {
    return max === this.#max ? this : new Crowds(max);
  }

  /**
   * Hears of a login whose time is over at `end`, and of the live grant of its client. Gives how many users have logged in from
   * there within their time, at most one more than the maximum: who makes it a crowd is enough.
   */
  join({ client, user }: Login, end: number, live: Grant | undefined, now: number): number {
    const account = accountOf(user);
    const crowd = this.#byClient.get(client) ?? this.#begun(client, account, live);
    if (crowd === undefined) return 1;
    const former = crowd.get(account);
    crowd.delete(account);
    crowd.set(account, Math.max(end, former ?? 0));
    if (former === undefined) this.#users++;
    if (crowd.size > this.#max) this.#thin(crowd, now);
    const [oldest] = this.#users > most ? this.#byClient : [];
    if (oldest !== undefined) this.#forget(...oldest);
    return crowd.size;
  }

  /** Forgets, once a minute, whose time is over. */
  sweep(now: number, monotonic: number): void {
    if (monotonic - this.#swept < pause) return;
    this.#swept = monotonic;
    for (const [client, crowd] of this.#byClient) {
      this.#thin(crowd, now);
      if (crowd.size <= 1) this.#forget(client, crowd);
    }
  }

  #begun(
    client: Client,
    account: string,
    live: Grant | undefined,
  ): Map<string, number> | undefined {
    if (live === undefined || live.why !== undefined) return undefined;
    const first = accountOf(live.user);
    if (first === account) return undefined;
    const crowd = new Map([[first, live.expires]]);
    this.#byClient.set(client, crowd);
    this.#users++;
    return crowd;
  }

  #thin(crowd: Map<string, number>, now: number): void {
    const before = crowd.size;
    for (const [account, end] of crowd) {
      if (end <= now) crowd.delete(account);
    }
    for (const account of crowd.keys()) {
      if (crowd.size <= this.#max + 1) break;
      crowd.delete(account);
    }
    this.#users -= before - crowd.size;
  }

  #forget(client: Client, crowd: Map<string, number>): void {
    this.#byClient.delete(client);
    this.#users -= crowd.size;
  }
}
