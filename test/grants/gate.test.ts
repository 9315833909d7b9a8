import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networks } from "../../src/client.ts";
import type { Rules } from "../../src/grants/rules.ts";
import { names } from "../../src/grants/names.ts";
import { bench, client, minute, rules, ttl, type Bench } from "./bench.ts";

const hour = 60 * minute;

function crowd(bench: Bench, users: number, name = "192.0.2.7"): string[] {
  return Array.from({ length: users }, (_, n) => bench.login(name, `user${String(n)}`));
}

describe("users and services", () => {
  const ann = { allowUsers: names(["ann@example.com"]) };
  const domain = { allowUsers: names(["*@example.com"]), denyUsers: names(["shared@*", "Info"]) };
  test.each<[rules: Partial<Rules>, user: string, service: string, reason: string | undefined]>([
    [{}, "ann", "imap", undefined],
    [ann, "ann@example.com", "imap", undefined],
    [ann, "ANN@Example.COM", "imap", undefined],
    [ann, "ann", "imap", "user"],
    [ann, "bann@example.com", "imap", "user"],
    [domain, "bob@example.com", "imap", undefined],
    [domain, "shared@example.com", "imap", "user"],
    [domain, "Shared@Example.com", "imap", "user"],
    [domain, "bob@example.com.example.net", "imap", "user"],
    [{ denyUsers: names(["info"]) }, "INFO", "imap", "user"],
    [{ denyUsers: names(["info"]) }, "info2", "imap", undefined],
    [{ denyUsers: names(["sh*ed"]) }, "shared", "imap", "user"],
    [{ denyUsers: names(["aba*aba"]) }, "aba", "imap", undefined],
    [{ services: new Set(["pop3"]) }, "ann", "imap", "service"],
    [{ services: new Set(["pop3"]) }, "ann", "pop3", undefined],
  ])("%j %s %s", (parts, user, service, reason) => {
    const { gate, login } = bench(parts);
    expect(login("192.0.2.7", user, { service })).toBe(reason === undefined ? "granted" : "none");
    expect(gate.refusalsOf(client("192.0.2.7"))[0]?.reason).toBe(reason);
  });

  test("a user who is denied by a reload is revoked, what an order granted is not", async () => {
    const { gate, login, clients } = bench();
    login("192.0.2.7");
    login("192.0.2.8", "bob");
    gate.permit(client("192.0.2.9"), hour, "");
    await gate.change(rules({ denyUsers: names(["ann"]), services: new Set(["imap"]) }));
    expect(clients()).toEqual(["192.0.2.8", "192.0.2.9"]);
    await gate.change(rules({ services: new Set(["pop3"]) }));
    expect(clients()).toEqual(["192.0.2.9"]);
  });

  test.each(["", "a*b*", "a\nb", "**"])("%j is no name", (name) => {
    expect(() => names(["ann", name])).toThrow(/^"[^]*" is not a user's name; write it as ann/);
  });

  test("a pattern takes what begins and ends so, whatever stands there", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "B", "@", "\\", "[", "İ") });
    fc.assert(
      fc.property(text, text, text, (start, middle, end) => {
        const users = names([`${start}*${end}`]);
        expect(users.has(start + middle + end)).toBe(true);
        expect(users.has(start.toUpperCase() + middle + end.toLowerCase())).toBe(
          start.toUpperCase().toLowerCase() === start.toLowerCase() &&
            end.toLowerCase().toLowerCase() === end.toLowerCase(),
        );
      }),
    );
  });
});

describe("the ttl", () => {
  const of = { popa3d: 5 * minute, courier: 2 * hour } as Readonly<Record<string, number>>;
  const ttlOf: Rules["ttlOf"] = (adapter, source) =>
    source === "short" ? minute : (of[adapter] ?? ttl);

  test.each([
    ["dovecot", "log", ttl],
    ["popa3d", "log", 5 * minute],
    ["courier", "log", 2 * hour],
    ["courier", "short", minute],
  ])("of %s in %s", async (adapter, source, ms) => {
    const { clock, gate } = bench({ ttlOf });
    const at = clock.now() - 30_000;
    const login = { at, adapter, service: "imap", user: "ann", client: client("192.0.2.7") };
    expect(gate.take({ ...login, at: clock.now() - ms }, { source })).toBe("none");
    expect(gate.take(login, { source, offset: 7 })).toBe("granted");
    expect(gate.of(login.client)).toMatchObject({ expires: at + ms, source, offset: 7 });
    // A restart or a reload changes nothing.
    await gate.change(rules({ ttlOf }));
    expect(gate.of(login.client)?.expires).toBe(at + ms);
    await gate.change(rules());
    expect(gate.of(login.client)?.expires).toBe(at + Math.min(ms, ttl));
  });

  test("a shorter one does not shorten what another adapter granted", () => {
    const { clock, gate, login } = bench({ ttlOf });
    login("192.0.2.7", "ann", { adapter: "courier" });
    clock.advance(minute);
    expect(login("192.0.2.7", "ann", { adapter: "popa3d" })).toBe("none");
    expect(gate.of(client("192.0.2.7"))?.expires).toBe(clock.now() + 2 * hour - minute);
  });
});

describe("a user with too many clients", () => {
  const many = (n: number) => `192.0.2.${String(n)}`;

  test("is refused a further one, and keeps those that are there", () => {
    const { login, clients } = bench({ maxClientsPerUser: 3 });
    const logins = [1, 2, 3, 4].map((n) => login(many(n), n % 2 === 0 ? "ann" : "Ann"));
    expect(logins).toEqual(["granted", "granted", "granted", "none"]);
    expect(clients()).toEqual([1, 2, 3].map(many));
  });

  test("it is told if there is no place to keep such a user out", () => {
    const { login, told } = bench({ maxClientsPerUser: 1, tooManyClients: "hold" });
    const user = "a".repeat(600);
    login("192.0.2.1", user);
    expect(login("192.0.2.2", user)).toBe("revoked");
    expect(told).toContainEqual(expect.stringMatching(/^error: not kept out: too many are/));
  });

  test("is kept out where the rules say so, with all clients, until the hold is over", () => {
    const parts = { maxClientsPerUser: 3, tooManyClients: "hold", hold: hour } as const;
    const { clock, gate, told, login, clients } = bench(parts);
    login("192.0.2.100", "bob");
    for (const n of [1, 2, 3]) login(many(n));
    expect(login(many(4))).toBe("revoked");
    expect(clients()).toEqual(["192.0.2.100"]);
    expect(told.filter((line) => line.startsWith("revoked"))).toHaveLength(3);
    expect(told.find((line) => line.includes("kept out"))).toMatch(
      /^warning: kept out user=ann until=2026-11-23T07:00:00.000Z why="the user has/,
    );
    expect(login(many(1), "ANN")).toBe("none");
    expect(gate.refusalsOf(client(many(1)))[0]).toMatchObject({
      reason: "revoked",
      why: expect.stringContaining("max_clients_per_user"),
    });
    expect(gate.counters.refused).toMatchObject({ max_clients_per_user: 1, revoked: 1 });
    clock.advance(hour - 1);
    expect(login(many(1))).toBe("none");
    clock.advance(1);
    expect(login(many(1))).toBe("granted");
  });

  test("a renewal is no further client", () => {
    const { clock, login } = bench({ maxClientsPerUser: 2, tooManyClients: "hold" });
    login(many(1));
    login(many(2));
    clock.advance(1);
    expect([login(many(1)), login(many(2))]).toEqual(["renewed", "renewed"]);
  });
});

describe("a client with too many users", () => {
  test("is warned of once a ttl, and granted", () => {
    const there = bench({ maxUsersPerClient: 3 });
    crowd(there, 3);
    expect(there.told.filter((line) => line.startsWith("warning"))).toEqual([]);
    there.clock.advance(1);
    expect(crowd(there, 5).at(-1)).not.toBe("revoked");
    crowd(there, 5);
    expect(there.told.filter((line) => line.startsWith("warning"))).toEqual([
      expect.stringMatching(/^warning: many users client=192.0.2.7 more_than=3 reason="more than/),
    ]);
    there.clock.advance(ttl - 1);
    there.gate.expire();
    expect(there.clients()).toEqual(["192.0.2.7"]);
  });

  test("is revoked and refused where the rules say so, until fewer came within their ttl", () => {
    const there = bench({ maxUsersPerClient: 3, tooManyUsers: "refuse" });
    const { clock, gate, login, clients } = there;
    expect(crowd(there, 5)).toEqual(["granted", "none", "none", "revoked", "none"]);
    expect(clients()).toEqual([]);
    clock.advance(minute);
    expect(login("192.0.2.7", "user0")).toBe("none");
    expect(gate.counters.refused.max_users_per_client).toBe(3);
    expect(gate.counters.revoked).toBe(1);
    clock.advance(ttl);
    expect(login("192.0.2.7", "user0")).toBe("granted");
    expect(login("192.0.2.8", "user0")).toBe("granted");
  });

  test("is none the less for a reload, unless another number makes it", async () => {
    const refusing = { maxUsersPerClient: 3, tooManyUsers: "refuse" } as const;
    const { gate, login } = bench(refusing);
    const users = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => login("192.0.2.7", `user${String(from + n)}`));
    users(0, 3);
    await gate.change(rules(refusing));
    expect(users(3, 4)).toEqual(["revoked"]);
    await gate.change(rules({ ...refusing, maxUsersPerClient: 4 }));
    expect(users(4, 5)).toEqual(["granted"]);
  });

  test("has grants that end sooner where the rules say so, those before too", () => {
    const there = bench({ maxUsersPerClient: 3, tooManyUsers: "shorten" });
    const { clock, gate, login } = there;
    crowd(there, 3);
    clock.advance(minute);
    expect(login("192.0.2.7", "user3")).toBe("shortened");
    expect(gate.of(client("192.0.2.7"))?.expires).toBe(clock.now() + 5 * minute);
    expect(gate.untilNextExpiry()).toBeLessThanOrEqual(5 * minute);
    clock.advance(minute);
    expect(login("192.0.2.7", "user1")).toBe("renewed");
    expect(gate.of(client("192.0.2.7"))?.expires).toBe(clock.now() + 5 * minute);
    clock.advance(5 * minute);
    expect(gate.expire()).toBe(true);
    expect(gate.size).toBe(0);
  });

  test("is revoked at once where the sooner end is over", () => {
    const there = bench({ maxUsersPerClient: 1, tooManyUsers: "shorten" });
    const at = there.clock.now() - 10 * minute;
    there.login("192.0.2.7", "ann", { at });
    expect(there.login("192.0.2.7", "bob", { at })).toBe("revoked");
    expect([there.gate.size, there.gate.untilNextExpiry()]).toEqual([0, Infinity]);
  });

  test.each(["refuse", "shorten"] as const)("%s: what was granted by order stays", (rule) => {
    const there = bench({ maxUsersPerClient: 2, tooManyUsers: rule });
    crowd(there, 2);
    there.gate.permit(client("192.0.2.7"), 2 * hour, "a webmail of ours");
    expect(crowd(there, 4)).toEqual(["none", "none", "none", "none"]);
    expect(there.gate.of(client("192.0.2.7"))?.expires).toBe(there.clock.now() + 2 * hour);
  });

  test("one user in several spellings is one user, and who left is none", () => {
    const there = bench({ maxUsersPerClient: 2, tooManyUsers: "refuse" });
    const { clock, login } = there;
    expect(["ann", "Ann", "ANN", "bob"].map((user) => login("192.0.2.7", user))).not.toContain(
      "revoked",
    );
    for (let n = 0; n < 20; n++) {
      clock.advance(ttl - 1);
      there.gate.expire();
      expect(login("192.0.2.7", "ann")).toBe("renewed");
      clock.advance(1);
      expect(login("192.0.2.7", `guest${String(n)}`)).toBe("renewed");
    }
  });
});

describe("the host's own addresses", () => {
  test("are asked for again, and a grant of one is revoked", () => {
    const { clock, gate, own, told, login, clients } = bench();
    login("192.0.2.7");
    login("192.0.2.8");
    own.add("192.0.2.7");
    clock.advance(1999);
    expect(gate.expire()).toBe(false);
    clock.advance(1);
    expect(gate.expire()).toBe(true);
    expect(clients()).toEqual(["192.0.2.8"]);
    expect(told.at(-1)).toMatch(/^revoked client=192.0.2.7 user=ann reason="the address is one of/);
    expect(login("192.0.2.7")).toBe("none");
    own.delete("203.0.113.25");
    expect(login("203.0.113.25")).toBe("none");
    clock.advance(2000);
    // Nobody is revoked, but the /64 of an address may be granted whole that could not be before.
    expect(gate.expire()).toBe(true);
    expect(login("203.0.113.25")).toBe("granted");
  });

  test("that guard.allow names stay granted", () => {
    const { clock, gate, own, login } = bench({ allow: networks(["192.0.2.7"]) });
    login("192.0.2.7");
    own.add("192.0.2.7");
    clock.advance(2000);
    gate.expire();
    expect(gate.size).toBe(1);
  });

  test("are those that were there, where the host does not answer, which is told once", () => {
    const there = bench();
    there.fail = true;
    for (let n = 0; n < 3; n++) {
      there.clock.advance(2000);
      expect(there.gate.expire()).toBe(false);
    }
    expect(there.login("203.0.113.25")).toBe("none");
    expect(there.told.filter((line) => line.includes("own addresses unknown"))).toHaveLength(1);
    there.fail = false;
    there.own.add("192.0.2.7");
    there.clock.advance(2000);
    there.gate.expire();
    expect(there.login("192.0.2.7")).toBe("none");
  });
});

describe("what is excluded beside a client", () => {
  const one = client("2001:db8:1:2::7");

  test.each<[what: string, rules: Partial<Rules>, excluded: readonly string[]]>([
    ["nothing", {}, []],
    ["an address", { never: networks(["2001:DB8:1:2::9"]) }, ["2001:db8:1:2::9"]],
    ["a part", { never: networks(["2001:db8:1:2::100/120"]) }, ["2001:db8:1:2::100/120"]],
    ["other networks", { never: networks(["2001:db8:1:3::9", "2001:db8:2::/48"]) }, []],
  ])("%s", (_, rules, excluded) => {
    expect(bench(rules).gate.excluded()(one)).toEqual(excluded);
    expect(bench(rules).gate.excluded()(client("192.0.2.7"))).toEqual([]);
  });

  test("a built-in refusal, unless the whole /64 is allowed", () => {
    const local = client("fd00:1:2:3::7");
    const beside = (allow: readonly string[]) =>
      bench({ allow: networks(allow) }).gate.excluded()(local);
    expect(beside(["fd00:1:2:3::7"])).toEqual(["fd00:1:2:3::/64"]);
    expect(beside(["fd00:1:2:3::/65"])).toEqual(["fd00:1:2:3::/64"]);
    expect(beside(["fd00:1:2:3::/64"])).toEqual([]);
    expect(beside(["fd00::/8"])).toEqual([]);
  });

  test("an own address that comes and goes, unless it is allowed, and the guard is told of it", () => {
    const { clock, gate, own } = bench();
    own.add("2001:db8:1:2::1");
    clock.advance(2000);
    expect(gate.expire()).toBe(true);
    expect(gate.excluded()(one)).toEqual(["2001:db8:1:2::1"]);
    own.delete("2001:db8:1:2::1");
    clock.advance(2000);
    expect(gate.expire()).toBe(true);
    expect(gate.excluded()(one)).toEqual([]);
    const allowed = bench({ allow: networks(["2001:db8:1:2::1"]) });
    allowed.own.add("2001:db8:1:2::1");
    allowed.clock.advance(2000);
    allowed.gate.expire();
    expect(allowed.gate.excluded()(one)).toEqual([]);
  });

  test("a revoked client once more if the clock is set back to when that held", () => {
    const { clock, gate } = bench();
    const one = client("2001:db8:1:2::7");
    gate.revoke({ client: one }, clock.now() + minute, "");
    clock.advance(2 * minute);
    expect([gate.expire(), gate.excluded()(one)]).toEqual([true, []]);
    clock.step(-90_000);
    expect([gate.expire(), gate.excluded()(one), gate.expire()]).toEqual([true, [one], false]);
  });

  test("a revoked client as long as that holds, and no revoked user", () => {
    const { clock, gate } = bench();
    gate.revoke({ client: client("2001:db8:1:2::9") }, clock.now() + minute, "");
    gate.revoke({ user: "ann" }, clock.now() + minute, "");
    expect(gate.excluded()(one)).toEqual(["2001:db8:1:2::9"]);
    clock.advance(minute - 1);
    expect(gate.expire()).toBe(false);
    clock.advance(1);
    expect(gate.expire()).toBe(true);
    expect(gate.excluded()(one)).toEqual([]);
    expect(gate.expire()).toBe(false);
  });
});

describe("a proxy that hides the clients is told, after an hour of logins from nowhere else", () => {
  const eves = (there: Bench) => {
    for (let n = 0; n < 12; n++) there.login("192.0.2.7", "eve");
  };
  const sign = "warning: every login of an hour came from one refused address";
  const cases: [what: string, others: (there: Bench) => void, logins: number, told: boolean][] = [
    ["all from one refused address", () => {}, 10, true],
    ["too few to say", () => {}, 9, false],
    ["one is granted", (there) => void there.login("192.0.2.7"), 12, false],
    ["one is granted anew", (there) => void there.login("192.0.2.8"), 12, false],
    ["another is refused", (there) => void there.login("10.0.0.2"), 12, false],
    ["one is refused for its user", (there) => void there.login("192.0.2.7", "eve"), 12, false],
    ["all are granted", (there) => void crowd(there, 12), 0, false],
    ["all are refused for their users", eves, 0, false],
    ["one came too late", (there) => void there.login("192.0.2.7", "ann", { at: 0 }), 12, true],
  ];
  test.each(cases)("%s", (_, others, logins, told) => {
    const there = bench({ denyUsers: names(["eve"]) });
    for (let n = 0; n < logins; n++) there.login("10.0.0.1", `user${String(n)}`);
    others(there);
    there.clock.advance(hour - 1);
    there.gate.expire();
    expect(there.told.some((line) => line.startsWith(sign))).toBe(false);
    there.clock.advance(1);
    there.gate.expire();
    const line = there.told.find((one) => one.startsWith(sign));
    expect(line !== undefined).toBe(told);
    if (told) expect(line).toMatch(/client=10.0.0.1 logins=\d+ .*remedy="let the proxy pass/);
    there.clock.advance(hour);
    there.gate.expire();
    expect(there.told.filter((one) => one.startsWith(sign))).toHaveLength(told ? 1 : 0);
  });
});

test("a refusal is told once a ttl, and again under new rules", async () => {
  const { clock, gate, told, login } = bench();
  const refused = () => told.filter((line) => line.startsWith("refused")).length;
  for (let n = 0; n < 3; n++) login("10.0.0.1", `user${String(n)}`);
  expect(refused()).toBe(1);
  clock.advance(ttl);
  login("10.0.0.1");
  login("10.0.0.1");
  expect(refused()).toBe(2);
  await gate.change(rules());
  login("10.0.0.1");
  expect(refused()).toBe(3);
});

describe("those whose time is over and who were not let out yet", () => {
  test.each<Partial<Rules>>([
    { maxClientsPerUser: 2 },
    { maxClientsPerUser: 2, tooManyClients: "hold" },
    { maxGrants: 2 },
  ])("take nobody's place: %j", (parts) => {
    const { clock, gate, login, clients } = bench(parts);
    login("192.0.2.7");
    login("192.0.2.8");
    clock.step(ttl);
    expect([login("192.0.2.9"), clients()]).toEqual(["granted", ["192.0.2.9"]]);
    // The tables have yet to hear of it.
    expect([gate.expire(), gate.expire()]).toEqual([true, false]);
    expect(gate.counters.expired).toBe(2);
  });
});

test("whatever logs in: the rules hold, and nothing but the rules shortens a grant", () => {
  const login = fc.record({
    name: fc.integer({ min: 1, max: 3 }).map((n) => `192.0.2.${String(n)}`),
    user: fc.constantFrom("ann", "Ann", "bob", "eve", "joe"),
    ago: fc.integer({ min: -minute, max: ttl + minute }),
    wait: fc.constantFrom(0, 0, 1, minute, ttl),
  });
  const rule = fc.record({
    tooManyUsers: fc.constantFrom("warn" as const, "refuse" as const, "shorten" as const),
    tooManyClients: fc.constantFrom("refuse" as const, "hold" as const),
    maxUsersPerClient: fc.integer({ min: 1, max: 3 }),
    maxClientsPerUser: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(rule, fc.array(login, { maxLength: 40 }), (parts, logins) => {
      const there = bench(parts);
      const { clock, gate } = there;
      for (const { name, user, ago, wait } of logins) {
        clock.advance(wait);
        gate.expire();
        const before = new Map([...gate.live()].map((grant) => [grant.client, grant.expires]));
        const at = clock.now() - ago;
        const change = there.login(name, user, { at });
        const after = new Map([...gate.live()].map((grant) => [grant.client, grant.expires]));
        const clientsOf = new Map<string, number>();
        for (const grant of gate.live()) {
          const account = grant.user.toLowerCase();
          clientsOf.set(account, (clientsOf.get(account) ?? 0) + 1);
          expect(grant.expires).toBeLessThanOrEqual(clock.now() + ttl);
        }
        for (const many of clientsOf.values()) {
          expect(many).toBeLessThanOrEqual(parts.maxClientsPerUser);
        }
        const isSooner = (one: string, end: number) => (after.get(client(one)) ?? 0) < end;
        const sooner = [...before].filter(([one, end]) => isSooner(one, end));
        if (change !== "shortened" && change !== "revoked") expect(sooner).toEqual([]);
        if (change === "granted") expect(before.has(client(name))).toBe(false);
        if (change === "renewed") {
          expect(after.get(client(name))).toBeGreaterThan(before.get(client(name)) ?? Infinity);
        }
        if (change === "none") expect(after).toEqual(before);
      }
    }),
    { numRuns: 500 },
  );
});

test("new rules are taken in steps: a login in between is judged by them, and who ends last stays", async () => {
  const { clock, gate, login } = bench({ maxGrants: 2000 });
  const all = Array.from({ length: 1500 }, (_, n) => `198.18.${String(n >> 8)}.${String(n & 255)}`);
  for (const [n, name] of all.entries()) {
    login(name, `user${String(n)}`);
    if (n % 100 === 99) clock.advance(1000);
  }
  const changing = gate.change(rules({ maxGrants: 1000, denyUsers: names(["eve"]) }));
  expect(gate.size).toBeGreaterThan(1000);
  expect(login("198.18.0.0", "eve")).toBe("none");
  await changing;
  expect([...gate.clients(0)].sort()).toEqual(all.slice(500).sort());
});
