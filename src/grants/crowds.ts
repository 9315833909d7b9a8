/** How many users log in from one client: where there are many, the address may stand for everybody. */
import type { Client } from "../client.ts";
import type { Grant, Login } from "../model.ts";
import { accountOf, isSameAccount } from "./names.ts";

/** Users of one generation of crowds, of all clients together. */
const most = 50_000;

/** Milliseconds between two looks at all crowds. */
const pause = 60_000;

/** The users of one client. */
interface Crowd {
  /** A number for each: names cost memory, and in one of 8 million crowds of 33 two share one. */
  readonly marks: number[];
  /** When the time of the user's login that counts longest is over, in ms since 1970. */
  readonly ends: number[];
}

/** The users of those clients that have more than one; of the others, the grant knows the user. */
export class Crowds {
  readonly #max: number;
  /** Two generations: the crowds from which nobody came for longest are forgotten when there are too many. */
  #young = new Map<Client, Crowd>();
  #old = new Map<Client, Crowd>();
  /** Of the young ones. */
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
    const young = this.#young.get(client);
    const crowd = young ?? this.#old.get(client) ?? begun(user, live);
    if (crowd === undefined) return 1;
    if (young === undefined) this.#keep(client, crowd);
    const { marks, ends } = crowd;
    const mark = markOf(user);
    const at = marks.indexOf(mark);
    if (at >= 0) ends[at] = Math.max(ends[at] ?? 0, end);
    else if (ends.length > this.#max) replaceFirst(crowd, mark, end);
    else {
      marks.push(mark);
      ends.push(end);
      this.#users++;
    }
    return countOf(ends, now);
  }

  /** How many clients' users are remembered. */
  get size(): number {
    return new Set([...this.#old.keys(), ...this.#young.keys()]).size;
  }

  /** Forgets, once a minute, the crowds of which but one user's time is not over. */
  sweep(now: number, monotonic: number): void {
    if (monotonic - this.#swept < pause) return;
    this.#swept = monotonic;
    for (const generation of [this.#old, this.#young]) {
      this.#users = 0;
      for (const [client, crowd] of generation) {
        if (countOf(crowd.ends, now) > 1) this.#users += crowd.ends.length;
        else generation.delete(client);
      }
    }
  }

  #keep(client: Client, crowd: Crowd): void {
    if (this.#users >= most) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#users = 0;
    }
    this.#young.set(client, crowd);
    this.#users += crowd.ends.length;
  }
}

/** A second user makes a crowd. What was granted by order has no user. */
function begun(user: string, live: Grant | undefined): Crowd | undefined {
  if (live === undefined || live.why !== undefined || isSameAccount(live.user, user)) {
    return undefined;
  }
  return { marks: [markOf(live.user)], ends: [live.expires] };
}

/** One more would be too many: among all of them that one is left out whose time is over first. */
function replaceFirst({ marks, ends }: Crowd, mark: number, end: number): void {
  const least = Math.min(...ends);
  if (end <= least) return;
  const at = ends.indexOf(least);
  marks[at] = mark;
  ends[at] = end;
}

/** Of how many the time is not over. */
function countOf(ends: readonly number[], now: number): number {
  let count = 0;
  for (const end of ends) if (end > now) count++;
  return count;
}

/** FNV-1a, of 32 bits (RFC 9923). */
function markOf(user: string): number {
  const account = accountOf(user);
  let mark = 0x811c9dc5;
  for (let at = 0; at < account.length; at++) {
    mark = Math.imul(mark ^ account.charCodeAt(at), 0x01000193);
  }
  return mark;
}
