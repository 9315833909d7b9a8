/** What the gate tells the audit: each decision once. */
import { expect, test } from "vitest";
import { Gate } from "../../src/grants/gate.ts";
import type { Rules } from "../../src/grants/rules.ts";
import { createLog } from "../../src/log.ts";
import { bench, client, minute, rules, ttl, type Bench } from "./bench.ts";

const place = { source: "/var/log/mail.log", offset: 7 };
const ann = { client: client("192.0.2.7"), user: "ann", service: "imap", adapter: "dovecot" };
const start = Date.parse("2026-11-23T06:00:00Z");

test("a grant, its renewals and its end, each with the place of its line", async () => {
  const { gate, clock, recorded } = bench();
  gate.take({ ...ann, at: start }, place);
  await clock.pass(minute);
  gate.take({ ...ann, at: start + minute - 5 }, { ...place, offset: 90 });
  await clock.pass(40 * minute);
  gate.expire();
  const expires = start + minute - 5 + ttl;
  expect(recorded).toEqual([
    { event: "granted", ...ann, ...place, login: start, expires: start + ttl },
    { event: "renewed", ...ann, ...place, offset: 90, login: start + minute - 5, expires },
    { event: "expired", ...ann, ...place, offset: 90, expires },
  ]);
});

test("a line that is read again is no login; one that moves nothing, under a longer grant, is", async () => {
  const { gate, clock, recorded, login } = bench();
  login("192.0.2.7");
  await clock.pass(minute);
  login("192.0.2.7");
  login("192.0.2.7");
  login("192.0.2.7", "ann", { at: start });
  expect(recorded.map(({ event }) => event)).toEqual(["granted", "renewed"]);
  gate.permit(client("192.0.2.7"), 300 * minute, "a scanner");
  await clock.pass(minute);
  login("192.0.2.7", "bob");
  expect(recorded.slice(3).map(({ event, user, why }) => [event, user, why])).toEqual([
    ["renewed", "bob", undefined],
  ]);
});

test.each<
  [what: string, parts: Partial<Rules>, act: (bench: Bench) => void | Promise<void>, told: object[]]
>([
  [
    "a refusal is told once",
    {},
    ({ login }) => void [login("10.0.0.1"), login("10.0.0.1"), login("10.0.0.1", "bob")],
    [{ event: "refused", client: "10.0.0.1", user: "ann", reason: "private", login: start }],
  ],
  [
    "an order has no user",
    {},
    ({ gate }) => void gate.permit(client("192.0.2.9"), minute, "scanner"),
    [{ event: "granted", client: "192.0.2.9", expires: start + minute, why: "scanner" }],
  ],
  [
    "a revocation, and its end by an order",
    {},
    ({ gate, login }) => {
      login("192.0.2.7");
      gate.revoke({ client: client("192.0.2.7") }, start + minute, "stolen");
      login("192.0.2.7");
      gate.permit(client("192.0.2.7"), minute, "found");
    },
    [
      { event: "granted", user: "ann" },
      { event: "revoked", client: "192.0.2.7", user: "ann", why: "stolen" },
      { event: "kept out", client: "192.0.2.7", expires: start + minute, why: "stolen" },
      { event: "refused", reason: "revoked", why: "stolen" },
      { event: "kept out no more", client: "192.0.2.7" },
      { event: "granted", why: "found" },
    ],
  ],
  [
    "a user who is held",
    { maxClientsPerUser: 1, tooManyClients: "hold", hold: 5 * minute },
    ({ login }) => void [login("192.0.2.7"), login("192.0.2.8")],
    [
      { event: "granted", client: "192.0.2.7" },
      { event: "refused", client: "192.0.2.8", reason: "max_clients_per_user" },
      { event: "kept out", user: "ann", expires: start + 5 * minute },
      { event: "revoked", client: "192.0.2.7" },
    ],
  ],
  [
    "all are forgotten",
    {},
    ({ gate, login }) => void [login("192.0.2.7"), gate.forget()],
    [{ event: "granted" }, { event: "forgotten" }],
  ],
  [
    "what a reload, or a restart, does not let in",
    {},
    async ({ gate, login }) => {
      login("192.0.2.7");
      await gate.change(rules({ services: new Set() }));
    },
    [{ event: "granted" }, { event: "revoked", client: "192.0.2.7" }],
  ],
])("%s", async (_, parts, act, told) => {
  const there = bench(parts);
  await act(there);
  expect(there.recorded).toMatchObject(told);
  expect(there.recorded).toHaveLength(told.length);
});

test("one that a shorter ttl ends is told with the end that it had", async () => {
  const { clock, gate, recorded, login } = bench({ maxUsersPerClient: 1, tooManyUsers: "shorten" });
  login("192.0.2.7");
  login("192.0.2.8");
  clock.advance(10 * minute);
  login("192.0.2.8", "bob", { at: start });
  await gate.change(rules({ ttlOf: () => minute }));
  expect(recorded.slice(2)).toMatchObject([
    { event: "revoked", client: "192.0.2.8", expires: start + ttl },
    { event: "revoked", client: "192.0.2.7", expires: start + ttl },
  ]);
});

test("a gate without an audit does the same", () => {
  const { clock, own } = bench();
  const log = createLog(clock, () => {});
  const gate = new Gate({ clock, log, ownAddresses: () => new Set([...own].map(client)) }, rules());
  expect(gate.take({ ...ann, at: start })).toBe("granted");
});
