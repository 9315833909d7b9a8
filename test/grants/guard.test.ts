import { describe, expect, test } from "vitest";
import { canonicalClient, networks, type Client } from "../../src/client.ts";
import { Grants } from "../../src/grants/grants.ts";
import { refusalOf, type Policy } from "../../src/grants/guard.ts";
import { names } from "../../src/grants/names.ts";
import { Refusals } from "../../src/grants/refusals.ts";
import { ManualClock } from "../manual-clock.ts";

const own = "203.0.113.25";

function policy(parts: { never?: string[]; allow?: string[]; most?: number } = {}): Policy {
  return {
    never: networks(parts.never ?? []),
    allow: networks(parts.allow ?? []),
    own: new Set([own as Client]),
    services: new Set(["imap"]),
    allowUsers: names(["*"]),
    denyUsers: names([]),
    revocations: { of: () => undefined },
    maxClientsPerUser: parts.most ?? 32,
  };
}

function refusal(
  client: string,
  rules: Policy,
  user = "ann",
  grants = new Grants(new ManualClock(), 10),
) {
  const login = { client: canonicalClient(client) as Client, user, service: "imap", at: 0 };
  return refusalOf(login, rules, grants);
}

/** The edges of every built-in network, inside and just outside. */
const edges: readonly [client: string, reason: "private" | undefined][] = [
  ["0.0.0.0", "private"],
  ["0.255.255.255", "private"],
  ["1.0.0.0", undefined],
  ["9.255.255.255", undefined],
  ["10.0.0.0", "private"],
  ["10.255.255.255", "private"],
  ["11.0.0.0", undefined],
  ["100.63.255.255", undefined],
  ["100.64.0.0", "private"],
  ["100.127.255.255", "private"],
  ["100.128.0.0", undefined],
  ["126.255.255.255", undefined],
  ["127.0.0.1", "private"],
  ["128.0.0.0", undefined],
  ["169.253.255.255", undefined],
  ["169.254.1.1", "private"],
  ["172.15.255.255", undefined],
  ["172.16.0.0", "private"],
  ["172.31.255.255", "private"],
  ["172.32.0.0", undefined],
  ["192.0.0.255", "private"],
  ["192.0.1.0", undefined],
  ["192.0.2.1", undefined],
  ["192.167.255.255", undefined],
  ["192.168.0.0", "private"],
  ["192.169.0.0", undefined],
  ["198.51.100.1", undefined],
  ["223.255.255.255", undefined],
  ["224.0.0.1", "private"],
  ["255.255.255.255", "private"],
  ["::", "private"],
  ["::1", "private"],
  ["::ffff:10.0.0.1", "private"],
  ["2001:db8::1", undefined],
  ["fbff::1", undefined],
  ["fc00::", "private"],
  ["fdff:ffff::1", "private"],
  ["fe80::1", "private"],
  ["febf::1", "private"],
  ["fec0::1", undefined],
  ["ff02::1", "private"],
];

describe("the guard", () => {
  test.each(edges)("%s: %s", (client, reason) => {
    expect(refusal(client, policy())).toBe(reason);
  });

  test.each([
    ["this host's own address", own, policy(), "own"],
    ["own, but allowed", own, policy({ allow: [own] }), undefined],
    ["private, but allowed", "10.1.2.3", policy({ allow: ["10.0.0.0/8"] }), undefined],
    [
      "never beats allow",
      "10.1.2.3",
      policy({ allow: ["10.0.0.0/8"], never: ["10.1.0.0/16"] }),
      "never",
    ],
    ["never", "198.51.100.9", policy({ never: ["198.51.100.0/24"] }), "never"],
  ])("%s", (_, client, rules, reason) => {
    expect(refusal(client, rules)).toBe(reason);
  });

  test("stops a user's many clients, and a full cache, but no renewal", () => {
    const clock = new ManualClock();
    const grants = new Grants(clock, 3);
    const login = (client: string, user: string) =>
      grants.grant(
        { at: clock.now(), adapter: "dovecot", service: "imap", user, client: client as Client },
        60_000,
      );
    login("192.0.2.1", "ann");
    login("192.0.2.2", "ann");
    const rules = policy({ most: 2 });
    expect(refusal("192.0.2.3", rules, "ann", grants)).toBe("max_clients_per_user");
    expect(refusal("192.0.2.1", rules, "ann", grants)).toBeUndefined();
    expect(refusal("192.0.2.3", rules, "bob", grants)).toBeUndefined();
    login("192.0.2.3", "bob");
    expect(refusal("192.0.2.3", rules, "ann", grants)).toBe("max_clients_per_user");
    expect(refusal("192.0.2.4", rules, "bob", grants)).toBe("max_grants");
    expect(refusal("192.0.2.3", rules, "bob", grants)).toBeUndefined();
  });
});

test("a refusal is news once per client, reason and span", () => {
  const refusals = new Refusals(1000);
  const client = "192.0.2.1" as Client;
  expect(refusals.isNews(client, "never", 0)).toBe(true);
  expect(refusals.isNews(client, "never", 999)).toBe(false);
  expect(refusals.isNews(client, "private", 999)).toBe(true);
  expect(refusals.isNews("192.0.2.2", "never", 999)).toBe(true);
  expect(refusals.isNews(client, "never", 1000)).toBe(true);
  for (let n = 0; n < 10_001; n++) refusals.isNews(`x${String(n)}`, "never", 1000);
  expect(refusals.isNews(client, "never", 1001)).toBe(true);
});
