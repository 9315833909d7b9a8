import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networks } from "../../src/client.ts";
import { KnownError } from "../../src/errors.ts";
import type { Whom } from "../../src/model.ts";
import { ManualClock } from "../manual-clock.ts";
import { bench, client, minute, rules, ttl } from "./bench.ts";

const hour = 60 * minute;

describe("who is revoked stays out until the instant that was named", () => {
  test.each<[what: string, whom: Whom, otherUser: string, otherClient: string]>([
    ["a client", { client: client("192.0.2.7") }, "refused", "granted"],
    ["a user", { user: "ann" }, "granted", "refused"],
    ["a user in another case", { user: "ANN" }, "granted", "refused"],
  ])("%s", (_, whom, otherUser, otherClient) => {
    const { clock, gate, told, login, clients } = bench();
    login("192.0.2.7", "Ann");
    expect(gate.revoke(whom, clock.now() + hour, "stolen")).toBe(1);
    expect(clients()).toEqual([]);
    expect(told.at(-2)).toBe("revoked client=192.0.2.7 user=Ann reason=stolen");
    expect(told.at(-1)).toMatch(/^kept out (client|user)=\S+ until=2026-11-23T07:00:00.000Z why=/);
    clock.advance(hour - 1);
    expect(login("192.0.2.7")).toBe("none");
    expect(gate.refusalsOf(client("192.0.2.7"))[0]).toMatchObject({
      reason: "revoked",
      why: "stolen",
    });
    const outcome = (change: string) => (change === "none" ? "refused" : change);
    expect(outcome(login("192.0.2.7", "bob"))).toBe(otherUser);
    expect(outcome(login("192.0.2.8", "aNN"))).toBe(otherClient);
    clock.advance(1);
    expect(["granted", "renewed"]).toContain(login("192.0.2.7"));
  });

  test("is remembered as long as a login from before that instant might grant", () => {
    const { clock, gate } = bench({ longestTtl: 2 * ttl });
    gate.revoke({ user: "ann" }, clock.now() + hour, "stolen");
    clock.advance(hour + 2 * ttl - 1);
    expect(gate.revocations()).toHaveLength(1);
    clock.advance(1);
    expect(gate.revocations()).toEqual([]);
  });

  test("a user's clients are all ended, and nobody else's", () => {
    const { clock, gate, login, clients } = bench();
    for (const name of ["192.0.2.1", "192.0.2.2", "2001:db8::3"]) login(name, "ann");
    login("192.0.2.4", "anna");
    expect(gate.revoke({ user: "ann" }, clock.now() + hour, "")).toBe(3);
    expect(clients()).toEqual(["192.0.2.4"]);
  });

  test("an instant that is not ahead ends grants alone, and leaves a revocation as it is", () => {
    const { clock, gate, login } = bench();
    const whom = { client: client("192.0.2.7") };
    gate.revoke(whom, clock.now() + hour, "first");
    gate.revoke(whom, clock.now(), "second");
    expect(gate.revocations()).toEqual([{ ...whom, until: clock.now() + hour, why: "first" }]);
    expect(login("192.0.2.7")).toBe("none");
    clock.advance(hour);
    expect(login("192.0.2.7")).toBe("granted");
    expect(gate.revoke(whom, clock.now(), "third")).toBe(1);
    expect(gate.revocations()).toEqual([{ ...whom, until: clock.now() + 1, why: "third" }]);
  });

  describe.each<[what: string, whom: Whom, until: number]>([
    ["a client", { client: client("192.0.2.7") }, 0],
    ["a client, kept out for less than the ttl", { client: client("192.0.2.7") }, minute],
    ["a user", { user: "ANN" }, 0],
    ["a user, kept out for less than the ttl", { user: "ann" }, minute],
  ])("a line that is read again grants nothing: %s", (_, whom, time) => {
    test.each(["", "after a restart", "after a reload"])("%s", async (when) => {
      const { clock, gate, login } = bench();
      const at = clock.now();
      login("192.0.2.7");
      // Another user's, from the same client: whose line grants must not depend on which comes last.
      login("192.0.2.7", "bob", { at: at - 1 });
      clock.advance(1000);
      expect(gate.revoke(whom, clock.now() + time, "")).toBe(1);
      clock.advance(2 * time);
      const next = bench({}, clock);
      if (when === "after a restart")
        await next.gate.restore([], 0, clock.now(), gate.revocations());
      if (when === "after a reload") await gate.change(rules());
      const again = when === "after a restart" ? next.login : login;
      expect(again("192.0.2.7", "ann", { at })).toBe("none");
      expect(again("192.0.2.7", "bob", { at: at - 1 })).toBe("none");
      expect(again("192.0.2.7", "ann", { at: at + 1000 })).toBe("none");
      // What was refused meanwhile stays refused.
      if (time > 0) expect(again("192.0.2.7", "ann", { at: at + 1000 + time - 1 })).toBe("none");
      expect(again("192.0.2.7", "ann", { at: at + 1000 + Math.max(1, time) })).toBe("granted");
    });
  });

  test("an order that takes a revocation back lets no login from before count", () => {
    const { clock, gate, login, clients } = bench();
    const at = clock.now();
    login("192.0.2.7");
    clock.advance(1000);
    gate.revoke({ client: client("192.0.2.7") }, clock.now() + hour, "");
    gate.permit(client("192.0.2.7"), minute, "");
    clock.advance(minute);
    gate.expire();
    expect(login("192.0.2.7", "ann", { at })).toBe("none");
    expect(clients()).toEqual([]);
    expect(login("192.0.2.7")).toBe("granted");
  });

  test("what only lines that are read again have to do with gives way to who is kept out", () => {
    const { clock, gate } = bench();
    for (let n = 0; n < 10_000; n++) gate.revoke({ user: `u${String(n)}` }, clock.now(), "");
    gate.revoke({ user: "ann" }, clock.now() + hour, "");
    expect(gate.revocations()).toHaveLength(10_000);
    expect(gate.revocations().at(-1)).toMatchObject({ user: "ann" });
    expect(() => gate.revoke({ user: "bob" }, clock.now(), "")).not.toThrow();
  });

  test("the latest order counts", () => {
    const { clock, gate } = bench();
    gate.revoke({ user: "ann" }, clock.now() + 2 * hour, "first");
    gate.revoke({ user: "Ann" }, clock.now() + hour, "second");
    expect(gate.revocations()).toEqual([{ user: "Ann", until: clock.now() + hour, why: "second" }]);
  });

  test("across a restart and a reload, with what was granted before", async () => {
    const before = bench();
    before.login("192.0.2.7", "ann");
    const grants = [...before.gate.live()];
    before.gate.revoke({ user: "ann" }, before.clock.now() + hour, "stolen");
    const { gate, login, clients, clock } = bench({}, before.clock);
    // A state that knows of both, as no popgate writes it: what restricts counts.
    await gate.restore(grants, 0, clock.now(), before.gate.revocations());
    expect(clients()).toEqual([]);
    await gate.change(rules());
    expect(login("192.0.2.7")).toBe("none");
    expect(gate.revocations()).toEqual(before.gate.revocations());
  });

  test("they are bounded: what cannot be remembered is said, and what it granted is ended", () => {
    const { clock, gate, login, clients } = bench();
    for (let n = 0; n < 10_000; n++) {
      gate.revoke({ user: `u${String(n)}` }, clock.now() + hour + n, "x".repeat(500));
    }
    expect(gate.revocations()[0]?.why).toHaveLength(200);
    login("192.0.2.7", "ann");
    const order = () => gate.revoke({ user: "ann" }, clock.now() + 2 * hour, "");
    expect(order).toThrow(KnownError);
    expect(order).toThrow(/^ann is not kept out: too many are/);
    expect(clients()).toEqual([]);
    gate.revoke({ user: "u1" }, clock.now() + hour, "one that is there may be changed");
    clock.advance(hour);
    expect(order()).toBe(0);
    expect(() => gate.revoke({ user: "x".repeat(513) }, clock.now() + hour, "")).toThrow(
      /too long/,
    );
  });
});

describe("an order grants a client without a login", () => {
  test("for its own time, whatever the ttl, with its reason", async () => {
    const { clock, gate, told, clients } = bench();
    expect(gate.permit(client("192.0.2.7"), 2 * hour, "the new scanner")).toBeUndefined();
    expect(gate.of(client("192.0.2.7"))).toMatchObject({
      user: "",
      why: "the new scanner",
      expires: clock.now() + 2 * hour,
    });
    expect(told).toEqual([
      'granted by order client=192.0.2.7 until=2026-11-23T08:00:00.000Z why="the new scanner"',
    ]);
    clock.advance(hour);
    await gate.change(rules({ maxClientsPerUser: 1 }));
    clock.advance(hour - 1);
    expect(clients()).toEqual(["192.0.2.7"]);
    clock.advance(1);
    gate.expire();
    expect([clients(), gate.counters.expired]).toEqual([[], 1]);
  });

  test("and keeps its end across a restart", async () => {
    const { clock, gate } = bench();
    gate.permit(client("192.0.2.7"), 2 * hour, "");
    const next = bench({}, clock);
    clock.advance(hour);
    await next.gate.restore([...gate.live()], 0, clock.now());
    expect(next.gate.untilNextExpiry()).toBe(hour);
    await next.gate.change(rules({ never: networks(["192.0.2.0/24"]) }));
    expect(next.clients()).toEqual([]);
  });

  test.each([
    ["never", "198.51.100.9"],
    ["private", "10.0.0.1"],
    ["own", "203.0.113.25"],
    ["max_grants", "192.0.2.2"],
  ])("not against %s", (reason, name) => {
    const { gate, login, clients } = bench({
      never: networks(["198.51.100.0/24"]),
      maxGrants: 1,
    });
    if (reason === "max_grants") login("192.0.2.1");
    const before = clients();
    expect(gate.permit(client(name), hour, "")).toBe(reason);
    expect(clients()).toEqual(before);
  });

  test("excludes nobody any more whose revocation it takes back", () => {
    const { clock, gate } = bench();
    const one = client("2001:db8:1:2::7");
    gate.revoke({ client: one }, clock.now() + hour, "");
    gate.permit(one, hour, "");
    expect(gate.excluded()(one)).toEqual([]);
  });

  test("takes back a revocation of the client, and none of a user", () => {
    const { clock, gate, login } = bench();
    gate.revoke({ client: client("192.0.2.7") }, clock.now() + hour, "");
    gate.revoke({ user: "ann" }, clock.now() + hour, "");
    expect(gate.permit(client("192.0.2.7"), minute, "")).toBeUndefined();
    clock.advance(1);
    expect(login("192.0.2.7", "ann")).toBe("none");
    expect(login("192.0.2.7", "bob")).toBe("renewed");
    expect(gate.revoke({ client: client("192.0.2.7") }, clock.now() + hour, "")).toBe(1);
  });

  test("lengthens a login's grant, and a later login lengthens it", () => {
    const { clock, gate, login } = bench();
    login("192.0.2.7");
    gate.permit(client("192.0.2.7"), minute, "shorter");
    expect(gate.of(client("192.0.2.7"))).toMatchObject({ user: "ann", why: undefined });
    gate.permit(client("192.0.2.7"), hour, "longer");
    expect(login("192.0.2.7")).toBe("none");
    clock.advance(hour - minute);
    expect(login("192.0.2.7")).toBe("renewed");
    expect(gate.of(client("192.0.2.7"))).toMatchObject({
      user: "ann",
      why: undefined,
      expires: clock.now() + ttl,
    });
  });
});

describe("the latest refusals of a client", () => {
  test("the newest first, with where the line stands, at most five", () => {
    const { clock, gate } = bench();
    for (let n = 0; n < 7; n++) {
      clock.advance(1);
      gate.take(
        {
          at: clock.now(),
          adapter: "courier",
          service: "pop3",
          user: `u${String(n)}`,
          client: client("10.0.0.1"),
        },
        { source: "/var/log/mail.log", offset: n },
      );
    }
    const refusals = gate.refusalsOf(client("10.0.0.1"));
    expect(refusals.map(({ user }) => user)).toEqual(["u6", "u5", "u4", "u3", "u2"]);
    expect(refusals[0]).toEqual({
      at: clock.now(),
      adapter: "courier",
      service: "pop3",
      user: "u6",
      client: "10.0.0.1",
      reason: "private",
      source: "/var/log/mail.log",
      offset: 6,
    });
    expect(gate.refusalsOf(client("10.0.0.2"))).toEqual([]);
  });

  test("of the 1,000 clients that were refused last", () => {
    const { gate, login } = bench();
    const name = (n: number) => `10.0.${String(n >> 8)}.${String(n & 255)}`;
    for (let n = 0; n < 2000; n++) login(name(n));
    login(name(0));
    expect(gate.refusalsOf(client(name(0)))).toHaveLength(2);
    for (let n = 2000; n < 3000; n++) login(name(n));
    expect(gate.refusalsOf(client(name(0)))).toHaveLength(2);
    expect(gate.refusalsOf(client(name(1)))).toEqual([]);
    expect(gate.refusalsOf(client(name(2000)))).toHaveLength(1);
    login(name(3000));
    expect(gate.refusalsOf(client(name(1999)))).toEqual([]);
  });
});

test("what becomes of logins is counted", () => {
  const { clock, gate, login } = bench({ never: networks(["198.51.100.0/24"]) });
  login("192.0.2.1");
  login("192.0.2.2", "bob", { adapter: "constructor" });
  clock.advance(minute);
  login("192.0.2.1");
  login("198.51.100.1");
  login("10.0.0.1");
  login("10.0.0.1");
  login("192.0.2.3", "eve", { at: clock.now() - ttl });
  gate.revoke({ user: "bob" }, clock.now() + hour, "");
  login("192.0.2.2", "bob");
  clock.advance(ttl);
  gate.expire();
  expect({ ...gate.counters, logins: { ...gate.counters.logins } }).toEqual({
    logins: { dovecot: 7, constructor: 1 },
    late: 1,
    granted: 2,
    restored: 0,
    renewed: 1,
    expired: 1,
    revoked: 1,
    refused: expect.objectContaining({ never: 1, private: 2, revoked: 1, own: 0, max_grants: 0 }),
  });
});

test("whatever is ordered and logs in: who is revoked is not live by a login, no grant outlives its time, and no line counts twice", async () => {
  const name = fc.integer({ min: 1, max: 4 }).map((n) => `192.0.2.${String(n)}`);
  const user = fc.constantFrom("ann", "Ann", "bob");
  const ms = fc.integer({ min: 0, max: 3 * ttl });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("login" as const), name, user, ms }),
    fc.record({ kind: fc.constant("client" as const), name, ms }),
    fc.record({ kind: fc.constant("user" as const), user, ms }),
    fc.record({ kind: fc.constant("permit" as const), name, ms: fc.integer({ min: 1, max: ttl }) }),
    fc.record({ kind: fc.constant("pass" as const), ms }),
    fc.record({ kind: fc.constant("restart" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock();
      let { gate, login } = bench({}, clock);
      const lines: [name: string, user: string, at: number][] = [];
      for (const one of steps) {
        if (one.kind === "login") {
          lines.push([one.name, one.user, clock.now() - one.ms]);
          login(one.name, one.user, { at: clock.now() - one.ms });
        }
        if (one.kind === "client") {
          gate.revoke({ client: client(one.name) }, clock.now() + one.ms, "");
        }
        if (one.kind === "user") gate.revoke({ user: one.user }, clock.now() + one.ms, "");
        if (one.kind === "permit") gate.permit(client(one.name), one.ms, "");
        if (one.kind === "pass") clock.advance(one.ms);
        if (one.kind === "restart") {
          const former = gate;
          ({ gate, login } = bench({}, clock));
          await gate.restore([...former.live()], 0, clock.now(), former.revocations());
        }
        gate.expire();
        const revoked = gate.revocations();
        for (const grant of gate.live()) {
          expect(grant.expires - clock.now()).toBeLessThanOrEqual(ttl);
          for (const out of revoked) {
            if (out.until <= clock.now() + 1) continue;
            if ("client" in out) expect(grant.client).not.toBe(out.client);
            else expect(grant.user.toLowerCase()).not.toBe(out.user.toLowerCase());
          }
        }
        // A line that is read twice has no effect.
        const live = structuredClone(gate.live());
        for (const [name, user, at] of lines) login(name, user, { at });
        expect([...gate.live()]).toEqual(live);
      }
    }),
    { numRuns: 300 },
  );
});
