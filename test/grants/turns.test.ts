/** Rules that are taken in steps, while others have their turn. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { networks } from "../../src/client.ts";
import { bench, client, minute, rules, ttl, type Bench } from "./bench.ts";

const many = 1300;
const nameOf = (n: number) => `192.0.${String(n >> 8)}.${String(n & 255)}`;

test("whatever comes between the steps of a reload, the new rules hold at its end", async () => {
  const whom = fc.integer({ min: 0, max: many + 200 });
  const act = fc.oneof(
    whom.map(
      (n) =>
        ({ login }: Bench) =>
          void login(nameOf(n), `user${String(n % 900)}`),
    ),
    whom.map(
      (n) =>
        ({ gate }: Bench) =>
          void gate.revoke({ client: client(nameOf(n)) }, 0, ""),
    ),
    whom.map(
      (n) =>
        ({ gate }: Bench) =>
          void gate.permit(client(nameOf(n)), 2 * ttl, ""),
    ),
    whom.map((n) => ({ gate, clock }: Bench) => {
      gate.revoke({ user: `user${String(n)}` }, clock.now() + minute, "");
    }),
    fc.integer({ min: -ttl, max: ttl }).map(
      (ms) =>
        ({ clock }: Bench) =>
          clock.step(ms),
    ),
    fc.constant(({ clock }: Bench) => clock.advance(minute)),
    fc.constant(({ gate }: Bench) => void gate.expire()),
    fc.constant(({ gate }: Bench) => gate.forget()),
  );
  const parts = fc.record({
    maxGrants: fc.constantFrom(10, 800, 2000),
    maxClientsPerUser: fc.constantFrom(1, 2, 32),
    never: fc
      .constantFrom("192.0.0.0/24", "192.0.3.0/24", "192.0.4.0/23")
      .map((one) => networks([one])),
    ttlOf: fc.constantFrom(ttl, 5 * minute).map((ms) => () => ms),
  });
  await fc.assert(
    fc.asyncProperty(
      parts,
      fc.array(fc.array(act, { maxLength: 20 }), { maxLength: 4 }),
      async (next, turns) => {
        const there = bench({ maxGrants: 2000 });
        const { clock, gate, login } = there;
        for (let n = 0; n < many; n++) {
          login(nameOf(n), `user${String(n % 900)}`, { at: clock.now() - (n % 29) * minute });
        }
        const changed = gate.change(rules(next));
        for (const turn of turns) {
          await new Promise((resolve) => void setImmediate(resolve));
          for (const one of turn) one(there);
        }
        await changed;
        const { granted, restored, expired, revoked } = gate.counters;
        expect(granted + restored - expired - revoked).toBe(gate.size);
        expect(gate.size).toBeLessThanOrEqual(next.maxGrants);
        const live = gate.live();
        const users = new Map<string, number>();
        for (const one of live) {
          expect(next.never.has(one.client)).toBe(false);
          if (one.why !== undefined) continue;
          users.set(one.user, (users.get(one.user) ?? 0) + 1);
          expect(one.expires - clock.now()).toBeLessThanOrEqual(next.ttlOf());
        }
        expect(Math.max(0, ...users.values())).toBeLessThanOrEqual(next.maxClientsPerUser);
        clock.step(-ttl);
        for (const one of gate.live()) expect(next.never.has(one.client)).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
});
