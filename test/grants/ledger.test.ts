import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networks } from "../../src/client.ts";
import type { Gate } from "../../src/grants/gate.ts";
import type { Grant } from "../../src/model.ts";
import { ManualClock } from "../manual-clock.ts";
import { bench, client, minute, rules, ttl } from "./bench.ts";

const hour = 60 * minute;
const scanner = client("192.0.2.7");

function sum({ counters }: Gate): number {
  const { granted, restored, expired, revoked } = counters;
  return granted + restored - expired - revoked;
}

describe("what is counted", () => {
  test("an order on a live grant renews it", () => {
    const { gate, login, told } = bench();
    login("192.0.2.7");
    gate.permit(scanner, hour, "a scanner");
    gate.permit(scanner, minute, "a scanner");
    expect(gate.counters).toMatchObject({ granted: 1, renewed: 1 });
    expect(told.filter((line) => line.startsWith("granted by order"))).toHaveLength(1);
  });

  test("all that are forgotten were revoked, those that were over already expired", () => {
    const { clock, gate, login } = bench();
    login("192.0.2.1", "ann", { at: clock.now() - ttl + minute });
    login("192.0.2.2");
    clock.advance(minute);
    gate.forget();
    expect([gate.size, gate.counters.revoked, gate.counters.expired]).toEqual([0, 1, 1]);
  });

  test("one that is granted anew before it was let out has expired", () => {
    const { clock, gate, login } = bench();
    login("192.0.2.7");
    clock.advance(ttl);
    login("192.0.2.7");
    expect(gate.counters).toMatchObject({ granted: 2, expired: 1 });
  });

  test("one that a crowd shortens to nothing was revoked", () => {
    const { clock, gate, login } = bench({ maxUsersPerClient: 1, tooManyUsers: "shorten" });
    const at = clock.now() - 10 * minute;
    login("192.0.2.7", "ann", { at });
    login("192.0.2.7", "bob", { at });
    expect([gate.size, gate.counters.revoked]).toEqual([0, 1]);
  });

  test("one that a shorter ttl ends was revoked, and one of before the start was restored", async () => {
    const { clock, gate, login, told } = bench();
    login("192.0.2.7");
    login("192.0.2.8");
    clock.advance(minute);
    const next = bench({ never: networks(["192.0.2.8"]) }, clock);
    await next.gate.restore([...gate.live()], 0, clock.now());
    expect(next.gate.counters).toMatchObject({ granted: 0, restored: 2, revoked: 1 });
    await gate.change(rules({ ttlOf: () => minute }));
    expect([gate.size, gate.counters.revoked]).toEqual([0, 2]);
    expect(told.at(-1)).toMatch(/^revoked client=192.0.2.7 user=ann reason="its time is over by/);
  });
});

describe("after the clock was set back", () => {
  test("a grant ends when its time is over all the same, and says so", () => {
    const { clock, gate, login } = bench();
    login("192.0.2.7");
    clock.advance(minute);
    clock.step(-hour);
    expect(gate.of(scanner)?.expires).toBe(clock.now() + ttl - minute);
    expect([...gate.live()]).toEqual([gate.of(scanner)]);
  });

  test("a login lengthens what is left, as ever", () => {
    const { clock, gate, login } = bench();
    login("192.0.2.7");
    clock.step(-hour);
    clock.advance(minute);
    expect(login("192.0.2.7")).toBe("renewed");
    expect([gate.of(scanner)?.expires, gate.untilNextExpiry() <= ttl]).toEqual([
      clock.now() + ttl,
      true,
    ]);
    clock.advance(ttl - 1);
    gate.expire();
    expect(gate.of(scanner)).toBeDefined();
  });

  test.each([-3 * hour, -minute])(
    "by %d ms, a reload keeps an order's end as it is",
    async (step) => {
      const { clock, gate } = bench();
      gate.permit(scanner, 2 * hour, "a scanner");
      clock.advance(minute);
      clock.step(step);
      await gate.change(rules());
      await gate.change(rules());
      expect(gate.of(scanner)?.expires).toBe(clock.now() + 2 * hour - minute);
      clock.advance(2 * hour - minute - 1);
      expect(gate.expire()).toBe(false);
      clock.advance(1);
      expect([gate.expire(), gate.size]).toEqual([true, 0]);
    },
  );
});

test("one whose end the wall clock has stepped over is granted no more, before it is let out, too", () => {
  const { clock, gate, login } = bench();
  login("192.0.2.7");
  clock.step(ttl);
  expect(gate.of(scanner)).toBeUndefined();
});

test("one that is over by a wall clock which is set back again does not slip past a reload", async () => {
  const { clock, gate, login } = bench();
  login("192.0.2.7");
  clock.step(ttl);
  await gate.change(rules({ never: networks(["192.0.2.0/24"]) }));
  clock.step(-ttl);
  expect([gate.clients(0), gate.counters.expired, sum(gate)]).toEqual([[], 1, 0]);
});

test("whatever happens, the count is right, and neither a step nor a reload nor a restart lengthens", async () => {
  const name = fc.integer({ min: 1, max: 4 }).map((n) => `192.0.2.${String(n)}`);
  const user = fc.constantFrom("ann", "bob", "eve");
  const ms = fc.integer({ min: 1, max: 2 * ttl });
  const kind = <Kind extends string>(one: Kind) => fc.constant(one);
  const parts = fc.record({
    ttlOf: fc.constantFrom(ttl, minute).map((time) => () => time),
    maxGrants: fc.integer({ min: 1, max: 4 }),
    maxClientsPerUser: fc.integer({ min: 1, max: 4 }),
    tooManyClients: fc.constantFrom("refuse" as const, "hold" as const),
    maxUsersPerClient: fc.integer({ min: 1, max: 3 }),
    tooManyUsers: fc.constantFrom("warn" as const, "refuse" as const, "shorten" as const),
  });
  const step = fc.oneof(
    fc.record({ kind: kind("login"), name, user, ago: fc.integer({ min: 0, max: ttl }) }),
    fc.record({ kind: kind("login"), name, user, ago: kind("").map(() => 0) }),
    fc.record({ kind: kind("permit"), name, ms }),
    fc.record({ kind: kind("revoke"), name, ms }),
    fc.record({ kind: kind("user"), user, ms }),
    fc.record({ kind: kind("pass"), ms }),
    fc.record({ kind: kind("step"), ms: fc.integer({ min: -ttl, max: ttl }) }),
    fc.record({ kind: kind("step"), ms: fc.integer({ min: -300, max: 300 }) }),
    fc.record({ kind: kind("expire") }),
    fc.record({ kind: kind("forget") }),
    fc.record({ kind: kind("change"), parts }),
    fc.record({ kind: kind("restart"), parts }),
  );
  await fc.assert(
    fc.asyncProperty(parts, fc.array(step, { maxLength: 50 }), async (first, steps) => {
      const clock = new ManualClock();
      let { gate, login } = bench(first, clock);
      // By client, in monotonic ms: not after it does a grant end, unless somebody logs in or orders it.
      const ends = new Map<string, number>();
      for (const one of steps) {
        const before = moves(gate);
        let isMoved = false;
        if (one.kind === "login") {
          isMoved = login(one.name, one.user, { at: clock.now() - one.ago }) !== "none";
        }
        if (one.kind === "permit") {
          gate.permit(client(one.name), one.ms, "");
          isMoved = moves(gate) > before;
        }
        if (one.kind === "revoke") gate.revoke({ client: client(one.name) }, one.ms, "");
        if (one.kind === "user") gate.revoke({ user: one.user }, clock.now() + one.ms, "");
        if (one.kind === "pass") clock.advance(one.ms);
        if (one.kind === "step") clock.step(one.ms);
        if (one.kind === "expire") gate.expire();
        if (one.kind === "forget") gate.forget();
        if (one.kind === "change") await gate.change(rules(one.parts));
        if (one.kind === "restart") {
          const former = gate;
          ({ gate, login } = bench(one.parts, clock));
          await gate.restore(
            [...former.live()],
            former.forgotten,
            clock.now(),
            former.revocations(),
          );
        }
        expect(sum(gate)).toBe(gate.size);
        for (const grant of gate.live()) expect(gate.of(grant.client)).toEqual(grant);
        expect([...gate.clients(0)].sort()).toEqual([...leftOf(gate, clock).keys()].sort());
        const left = leftOf(gate, clock);
        // What the wall clock alone has ended may live on if it is set back at once.
        if (one.kind === "revoke") ends.delete(one.name);
        if (one.kind === "forget") ends.clear();
        if (one.kind === "change" || one.kind === "restart") {
          for (const name of ends.keys()) if (!left.has(name)) ends.delete(name);
        }
        for (const [name, ms] of left) {
          const end = clock.monotonic() + ms;
          const isNew = isMoved && "name" in one && one.name === name;
          if (!isNew) expect(end).toBeLessThanOrEqual(ends.get(name) ?? -Infinity);
          // What a step has taken away a step may give back.
          if (isNew || one.kind === "change" || one.kind === "restart") ends.set(name, end);
        }
      }
      clock.advance(3 * ttl);
      gate.expire();
      expect([gate.size, sum(gate)]).toEqual([0, 0]);
    }),
    {
      numRuns: 500,
      // Over by one ms, passed over by a reload, and back by the same ms.
      examples: [
        [
          {},
          [
            { kind: "permit", name: "192.0.2.1", ms: 1 },
            { kind: "step", ms: 1 },
            { kind: "change", parts: {} },
            { kind: "step", ms: -1 },
          ],
        ],
      ] as never,
    },
  );
});

/** How often an end was moved by a login or an order. */
function moves({ counters }: Gate): number {
  return counters.granted + counters.renewed;
}

function leftOf(gate: Gate, clock: ManualClock): Map<string, number> {
  const left = ({ client: name, expires }: Grant) => [name, expires - clock.now()] as const;
  return new Map(Array.from(gate.live(), left));
}
