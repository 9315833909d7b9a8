import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Client } from "../../src/client.ts";
import { Grants } from "../../src/grants/grants.ts";
import type { Grant, Login } from "../../src/model.ts";
import { ManualClock } from "../manual-clock.ts";

const minute = 60_000;
const ttl = 30 * minute;

function loginAt(at: number, client = "192.0.2.7", user = "ann"): Login {
  return { at, adapter: "dovecot", service: "imap", user, client: client as Client };
}

function clientsOf(grants: Grants): string[] {
  return [...grants.clients()].sort();
}

describe("a grant", () => {
  test("ends ttl after the time in the log, to the millisecond", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    expect(grants.grant(loginAt(clock.now() - minute), ttl)).toBe("granted");
    expect(grants.untilNextExpiry()).toBe(29 * minute);
    clock.advance(29 * minute - 1);
    expect(clientsOf(grants)).toEqual(["192.0.2.7"]);
    expect(grants.expire()).toEqual([]);
    clock.advance(1);
    expect(clientsOf(grants)).toEqual([]);
    expect(grants.expire().map(({ client }) => client)).toEqual(["192.0.2.7"]);
    expect([grants.size, grants.untilNextExpiry()]).toEqual([0, undefined]);
  });

  test("is left out of what is asked for ahead of its end", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    expect([...grants.clients(ttl - 1)]).toEqual(["192.0.2.7"]);
    expect([...grants.clients(ttl)]).toEqual([]);
    expect([...grants.live()]).toHaveLength(1);
  });

  test("is renewed by a later login, and keeps its first moment", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    const start = clock.now();
    grants.grant(loginAt(start), ttl);
    clock.advance(10 * minute);
    expect(grants.grant(loginAt(clock.now(), "192.0.2.7", "bob"), ttl)).toBe("renewed");
    expect(grants.of("192.0.2.7" as Client)).toMatchObject({
      user: "bob",
      granted: start,
      renewed: start + 10 * minute,
      expires: start + 40 * minute,
    });
    expect([grants.clientsOf("ann"), grants.clientsOf("bob")]).toEqual([0, 1]);
  });

  test("that was renewed is looked at in the second after it would have ended, and ends when it does", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.advance(10 * minute);
    grants.grant(loginAt(clock.now()), ttl);
    expect(grants.untilNextExpiry()).toBe(20 * minute + 1000);
    clock.advance(20 * minute);
    expect(grants.expire()).toEqual([]);
    expect(grants.untilNextExpiry()).toBe(10 * minute);
    clock.advance(10 * minute - 1);
    expect(grants.expire()).toEqual([]);
    clock.advance(1);
    expect(grants.expire()).toHaveLength(1);
    expect([grants.size, grants.untilNextExpiry()]).toEqual([0, undefined]);
  });

  test("that was renewed within the second of its end is not looked at before its own", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now() - 900), ttl);
    expect(grants.untilNextExpiry()).toBe(ttl - 900);
    grants.grant(loginAt(clock.now() - 100), ttl);
    clock.advance(ttl - 900);
    expect(grants.expire()).toEqual([]);
    expect(grants.untilNextExpiry()).toBe(800);
  });

  test("is one of some hundred that end in one step; the others follow at once", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 2000);
    const names = Array.from(
      { length: 1234 },
      (_, n) => `192.0.${String(n >> 8)}.${String(n & 255)}`,
    );
    for (const name of names) grants.grant(loginAt(clock.now(), name), ttl);
    clock.advance(ttl);
    const steps: string[][] = [];
    while (grants.untilNextExpiry() === 0) steps.push(grants.expire().map(({ client }) => client));
    expect(steps.map(({ length }) => length)).toEqual([500, 500, 234]);
    expect(steps.flat().sort()).toEqual(names.sort());
    expect(grants.size).toBe(0);
  });

  test.each([
    ["a line read again", 0, "unchanged"],
    ["an earlier line read late", -5 * minute, "unchanged"],
    ["a line older than the ttl", -31 * minute, "unchanged"],
  ])("is not changed by %s", (_, offset, effect) => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    const before = { ...grants.of("192.0.2.7" as Client) };
    clock.advance(minute);
    const at = clock.now() - minute + offset;
    expect(at + ttl <= clock.now() ? "unchanged" : grants.grant(loginAt(at), ttl)).toBe(effect);
    expect(grants.of("192.0.2.7" as Client)).toEqual(before);
  });

  test("is not made by a login older than the ttl, nor lengthened by a stamp ahead", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    expect(grants.grant(loginAt(clock.now() - ttl), ttl)).toBe("late");
    grants.grant(loginAt(clock.now() + minute), ttl);
    expect(grants.of("192.0.2.7" as Client)?.expires).toBe(clock.now() + ttl);
  });

  test("is never evicted: a newcomer beyond the limit is a fault of the caller", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 2);
    grants.grant(loginAt(clock.now(), "192.0.2.1"), ttl);
    grants.grant(loginAt(clock.now(), "192.0.2.2"), ttl);
    expect(grants.full).toBe(true);
    expect(() => grants.grant(loginAt(clock.now(), "192.0.2.3"), ttl)).toThrow(/all places/);
    expect(grants.grant(loginAt(clock.now() + 1, "192.0.2.1"), ttl)).toBe("unchanged");
    expect(clientsOf(grants)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  test("is revoked", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 2);
    grants.grant(loginAt(clock.now()), ttl);
    expect(grants.revoke("192.0.2.7" as Client)?.user).toBe("ann");
    expect(grants.revoke("192.0.2.7" as Client)).toBeUndefined();
    expect([grants.size, grants.untilNextExpiry(), grants.clientsOf("ann")]).toEqual([
      0,
      undefined,
      0,
    ]);
  });
});

describe("when the wall clock steps", () => {
  test("forward, grants end by it", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.step(ttl - minute);
    expect(grants.expire()).toEqual([]);
    expect(grants.untilNextExpiry()).toBe(minute);
    clock.step(minute);
    expect(clientsOf(grants)).toEqual([]);
    expect(grants.expire()).toHaveLength(1);
  });

  test("forward past its end, a login grants anew what nobody has expired yet", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.step(ttl);
    expect(clientsOf(grants)).toEqual([]);
    expect(grants.grant(loginAt(clock.now(), "192.0.2.7", "bob"), ttl)).toBe("granted");
    expect(clientsOf(grants)).toEqual(["192.0.2.7"]);
    expect([grants.clientsOf("ann"), grants.clientsOf("bob")]).toEqual([0, 1]);
  });

  test("forward before a renewal by a line from before, it ends by it", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    const start = clock.now();
    grants.grant(loginAt(start), ttl);
    clock.step(10 * minute);
    expect(grants.grant(loginAt(start + 1), ttl)).toBe("renewed");
    expect(grants.untilNextExpiry()).toBe(20 * minute + 1);
    clock.advance(20 * minute + 1);
    expect(grants.expire()).toHaveLength(1);
  });

  test("back, grants still end by the monotonic clock", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.step(-24 * 60 * minute);
    grants.expire();
    clock.advance(ttl);
    expect(clientsOf(grants)).toEqual([]);
    expect(grants.expire()).toHaveLength(1);
  });

  test("back, what is saved or taken over has only the time that was left", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.advance(minute);
    clock.step(-365 * 24 * 60 * minute);
    const [left] = [...grants.live()];
    expect(left?.expires).toBe(clock.now() + 29 * minute);
    const next = new Grants(clock, 10);
    next.restore(left as Grant, ttl);
    expect(next.untilNextExpiry()).toBe(29 * minute);
    const foreign = new Grants(clock, 10);
    foreign.restore(
      { ...(left as Grant), renewed: clock.now() * 2, expires: clock.now() * 2 },
      ttl,
    );
    expect(foreign.untilNextExpiry()).toBe(ttl);
  });

  test("forward and back, they never end later", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 10);
    grants.grant(loginAt(clock.now()), ttl);
    clock.step(10 * minute);
    grants.expire();
    clock.step(-10 * minute);
    grants.expire();
    clock.advance(20 * minute);
    expect(clientsOf(grants)).toEqual([]);
  });
});

describe("a grant that is restored", () => {
  const start = new Date("2026-11-23T06:00:00Z").getTime();
  const saved: Grant = {
    client: "192.0.2.7" as Client,
    user: "ann",
    service: "imap",
    adapter: "dovecot",
    granted: start - 20 * minute,
    renewed: start - 10 * minute,
    expires: start + 20 * minute,
  };

  test.each([
    ["keeps its end", ttl, 25 * minute, 20],
    ["has at most the time left that it had: the clock was stepped back", ttl, 5 * minute, 5],
    ["is cut by a shorter ttl", 15 * minute, 20 * minute, 5],
    ["is not lengthened by a longer ttl", 60 * minute, 20 * minute, 20],
  ])("%s", (_, newTtl, left, minutes) => {
    const clock = new ManualClock(start);
    const grants = new Grants(clock, 10);
    expect(grants.restore(saved, newTtl, left)).toBe(true);
    expect(grants.untilNextExpiry()).toBe(minutes * minute);
  });

  test.each([
    ["its end is over", ttl, 20 * minute, start + 20 * minute],
    ["no time was left", ttl, 0, start],
    ["the new ttl has ended it", 10 * minute, 20 * minute, start],
  ])("is dropped if %s", (_, newTtl, left, now) => {
    const grants = new Grants(new ManualClock(now), 10);
    expect(grants.restore(saved, newTtl, left)).toBe(false);
    expect(grants.size).toBe(0);
  });
});

test("against a plain model, in any order of logins, renewals, revocations and time", () => {
  const client = fc.integer({ min: 1, max: 5 }).map((n) => `192.0.2.${String(n)}`);
  const action = fc.oneof(
    fc.record({
      kind: fc.constant("login" as const),
      client,
      ago: fc.integer({ min: -100, max: 4000 }),
    }),
    fc.record({ kind: fc.constant("revoke" as const), client }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 1500 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const clock = new ManualClock();
      const grants = new Grants(clock, 100);
      const ends = new Map<string, number>();
      for (const step of actions) {
        if (step.kind === "login") {
          const end = Math.min(clock.now() - step.ago, clock.now()) + 3000;
          grants.grant(loginAt(clock.now() - step.ago, step.client), 3000);
          if (end > clock.now()) ends.set(step.client, Math.max(end, ends.get(step.client) ?? 0));
        } else if (step.kind === "revoke") {
          grants.revoke(step.client as Client);
          ends.delete(step.client);
        } else {
          clock.advance(step.ms);
          const ended = [...ends].filter(([, end]) => end <= clock.now());
          const expired = grants.expire().map(({ client: name }) => name);
          expect(expired.sort()).toEqual(ended.map(([name]) => name).sort());
          for (const [name] of ended) ends.delete(name);
        }
        const live = [...ends].filter(([, end]) => end > clock.now());
        expect(clientsOf(grants)).toEqual(live.map(([name]) => name).sort());
        const next = Math.min(...live.map(([, end]) => end)) - clock.now();
        if (step.kind !== "pass") continue;
        const until = grants.untilNextExpiry();
        expect(until === undefined).toBe(live.length === 0);
        expect(until ?? 1).toBeGreaterThan(0);
        expect(until ?? next).toBeLessThanOrEqual(next);
      }
    }),
    { numRuns: 300 },
  );
});
