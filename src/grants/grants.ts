/** Who may relay now: a cache of grants, each with its end. */
import { LRUCache } from "lru-cache";
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Grant, Login, Place } from "../model.ts";
import { Accounts } from "./accounts.ts";
import { Expiries, type Ending } from "./expiries.ts";
import { accountOf } from "./names.ts";

/** What a login did: it made a grant, moved the end of one, moved nothing, or came too late to grant anything. */
export type Effect = "granted" | "renewed" | "unchanged" | "late";

/** The line of a login, or an administrator's reason. */
type Origin = Partial<Place> & Pick<Grant, "why">;

/** Milliseconds by which the wall clock must have stepped before all ends are worked out anew; less is drift. */
const smallestStep = 250;

/** Grants that end in one step: about as many as are told in some milliseconds. */
const step = 500;

/**
 * A grant with its monotonic end; the earlier of its two ends counts, so that no step of a clock lengthens it. One object: there
 * may be a hundred thousand, and what renews one makes none.
 */
type Held = { -readonly [Key in keyof Grant]: Grant[Key] } & Ending;

/**
 * The live grants. What the cache no longer has is not granted. The index has the same ones, and is walked through where all are
 * asked for: the cache asks itself of each whether it has it, which takes 20 ms for a hundred thousand.
 */
export class Grants {
  readonly #clock: Clock;
  readonly #cache: LRUCache<Client, Held>;
  readonly #expiries = new Expiries<Held>();
  readonly #accounts = new Accounts();
  #max: number;
  /** Wall minus monotonic time when the ends were last worked out: it grows when the wall clock steps forward. */
  #offset: number;

  /** Holds at most `max` grants. */
  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
    this.#offset = clock.now() - clock.monotonic();
    // `get` would reorder and `ttlAutopurge` arms a timer an entry: only peek, has, set and delete are used. With a `max` it would
    // take the room for all at once.
    this.#cache = new LRUCache({
      maxSize: Number.MAX_SAFE_INTEGER,
      // Who is looked at is compared with the present, and one whose time is over is there until he is let out.
      allowStale: true,
      perf: { now: () => clock.monotonic() },
      ttlResolution: 0,
    });
  }

  get size(): number {
    return this.#cache.size;
  }

  get full(): boolean {
    return this.size >= this.#max;
  }

  /** Has so many places from now on, whoever is there. */
  limit(max: number): void {
    this.#max = max;
  }

  /** The live grant of a client, or undefined. */
  of(client: Client): Grant | undefined {
    const held = this.#held(client);
    return held === undefined ? undefined : this.#shown(held);
  }

  /** How many live grants a user has, in whatever case the name is written. */
  clientsOf(user: string): number {
    return this.#accounts.of(user);
  }

  /**
   * Grants a login that the guard let pass, for `ttl` ms from the time in the log; `from` tells where that comes from.
   * @throws Error if it is a newcomer and all places are taken: the guard asks `full` first
   */
  grant(login: Login, ttl: number, from: Origin = {}): Effect {
    const now = this.#clock.now();
    const at = Math.min(login.at, now);
    const expires = at + ttl;
    if (expires <= now) return "late";
    const held = this.#held(login.client);
    const { client, user, service, adapter } = login;
    const { source, offset, why } = from;
    if (held === undefined) {
      const times = { granted: at, renewed: at, expires };
      this.#hold({ client, user, service, adapter, ...times, source, offset, why });
      return "granted";
    }
    // A renewal never shortens: a line that is read again, or late, changes nothing.
    if (expires <= this.#endOf(held)) return "unchanged";
    this.#accounts.move(held.user, user);
    held.user = user;
    held.service = service;
    held.adapter = adapter;
    held.renewed = at;
    held.expires = expires;
    held.source = source;
    held.offset = offset;
    held.why = why;
    this.#endAt(held, this.#clock.monotonic() + expires - now);
    return "renewed";
  }

  /**
   * Takes a grant that was made before: from the state, or under an earlier config. It keeps its end, cut to `ttl` ms after its
   * latest login, and has at most `left` ms left. Gives false if that is over.
   */
  restore(grant: Grant, ttl: number, left = Infinity): boolean {
    const now = this.#clock.now();
    const expires = Math.min(grant.expires, grant.renewed + ttl, now + left, now + ttl);
    if (expires <= now) return false;
    this.#hold({ ...grant, expires });
    return true;
  }

  /**
   * Has a live grant end `ttl` ms after its latest login, be it one that came now and was stamped `at`. Gives whether it would have
   * ended later.
   */
  shorten(client: Client, at: number, ttl: number): boolean {
    const held = this.#held(client);
    if (held === undefined) return false;
    const now = this.#clock.now();
    const renewed = Math.max(held.renewed, Math.min(at, now));
    const expires = Math.min(renewed, now) + ttl;
    if (expires >= this.#endOf(held)) {
      // What the wall clock says now counts, though it may be set back.
      this.#endAt(held, Math.min(held.until, this.#clock.monotonic() + held.expires - now));
      return false;
    }
    if (expires <= now) {
      // Whoever tells of it has it as it was.
      this.#drop(held);
      return true;
    }
    held.renewed = renewed;
    held.expires = expires;
    this.#endAt(held, Math.min(held.until, this.#clock.monotonic() + expires - now));
    return true;
  }

  /** Ends one client's grant. Gives it, or undefined if there was none. */
  revoke(client: Client): Grant | undefined {
    const held = this.#cache.peek(client);
    if (held !== undefined) this.#drop(held);
    return held;
  }

  /** Removes the grant of a client whose time is over, and gives it, if there is one that `expire` did not remove yet. */
  dropOver(client: Client): Grant | undefined {
    const held = this.#cache.peek(client);
    if (held === undefined || this.#held(client) !== undefined) return undefined;
    this.#drop(held);
    return held;
  }

  /** Removes some hundred grants whose end is reached, and gives them: the others are to be asked for in another turn. */
  expire(): readonly Grant[] {
    this.#followWallClock();
    const expired = this.#expiries.due(this.#clock.monotonic(), step);
    for (const held of expired) this.#drop(held);
    return expired;
  }

  /**
   * Milliseconds until `expire` is to be called: until the next grant ends, or sooner where one has been renewed; 0 if that is over,
   * or undefined if there is no grant.
   */
  untilNextExpiry(): number | undefined {
    const next = this.#expiries.next();
    return next === undefined ? undefined : Math.max(0, next - this.#clock.monotonic());
  }

  /** The grants whose latest login was a user's, in whatever case the name is written, and that were not removed yet. */
  ofUser(user: string): readonly Grant[] {
    const account = accountOf(user);
    const all: Grant[] = [];
    const left = this.clientsOf(user);
    for (const held of left === 0 ? [] : this.#expiries.all()) {
      if (accountOf(held.user) === account && all.push(held) === left) break;
    }
    return all;
  }

  /** The clients that are live in `ahead` ms unless they are revoked before. */
  clients(ahead = 0): readonly Client[] {
    this.#followWallClock();
    const now = this.#clock.now() + ahead;
    const monotonic = this.#clock.monotonic() + ahead;
    // Now the two ends of a grant lie less than a second apart, or that by the wall clock is the later one: whoever has more than
    // that left is not looked at. To look at a hundred thousand takes longer than to sort them.
    const { near, far } = this.#expiries.split(monotonic + 1000);
    const clients = far.map(({ client }) => client);
    for (const { client, until, expires } of near) {
      if (until > monotonic && expires > now) clients.push(client);
    }
    return clients;
  }

  /** The grants that are live at this moment; a login may renew one of them in place. */
  live(): readonly Grant[] {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const live: Grant[] = [];
    for (const held of this.#expiries.all()) {
      if (held.until <= monotonic || held.expires <= now) continue;
      live.push(this.#shown(held, now, monotonic));
    }
    return live;
  }

  /** All that were not removed yet, those too whose time is over. */
  all(): Grant[] {
    return this.#expiries.all().map((held) => this.#shown(held));
  }

  #held(client: Client): Held | undefined {
    const held = this.#cache.peek(client);
    if (held === undefined || held.until <= this.#clock.monotonic()) return undefined;
    return held.expires > this.#clock.now() ? held : undefined;
  }

  #shown(held: Held, now = this.#clock.now(), monotonic = this.#clock.monotonic()): Grant {
    const expires = this.#endOf(held, now, monotonic);
    return expires === held.expires ? held : { ...held, expires };
  }

  /** By the wall clock. After that was set back, the end that it had by it would promise more than is left. */
  #endOf(
    { expires, until }: Held,
    now = this.#clock.now(),
    monotonic = this.#clock.monotonic(),
  ): number {
    return Math.min(expires, Math.ceil(now + until - monotonic));
  }

  #hold(grant: Grant): void {
    const { client, user, expires } = grant;
    const stale = this.#cache.peek(client, { allowStale: true });
    if (stale !== undefined) this.#drop(stale);
    if (this.full) throw new Error("a grant was made although all places are taken");
    const until = this.#clock.monotonic() + expires - this.#clock.now();
    const held = { ...grant, until, second: 0, place: 0 };
    this.#expiries.add(held);
    this.#remember(held);
    this.#accounts.add(user);
  }

  /** The end that it has from now on, in monotonic ms. */
  #endAt(held: Held, until: number): void {
    const isSooner = until < held.until;
    if (isSooner) this.#expiries.remove(held);
    held.until = until;
    if (isSooner) this.#expiries.add(held);
    this.#remember(held);
  }

  #remember(held: Held): void {
    const left = Math.max(1, Math.floor(held.until - this.#clock.monotonic()));
    this.#cache.set(held.client, held, { size: 1, ttl: left });
  }

  #drop(held: Held): void {
    this.#cache.delete(held.client);
    this.#expiries.remove(held);
    this.#accounts.remove(held.user);
  }

  /** When the wall clock has stepped forward, or the machine has slept, grants end sooner than their monotonic end says. */
  #followWallClock(): void {
    const offset = this.#clock.now() - this.#clock.monotonic();
    const stepped = offset - this.#offset;
    if (Math.abs(stepped) < smallestStep) return;
    this.#offset = offset;
    if (stepped < 0) return;
    for (const held of this.#expiries.all()) {
      const until = held.expires - offset;
      if (until < held.until) this.#endAt(held, until);
    }
  }
}
