import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config.ts";
import { longestTtl, rulesOf } from "../src/rules.ts";

const minute = 60_000;
const least = '[[source]]\npath = "/var/log/mail.log"\n[[map]]\ntable = "/var/lib/popgate/relay"\n';
const text = `${least}[[source]]
path = "/var/log/pop*"
ttl = "5m"
[[source]]
type = "journal"
units = ["dovecot.service"]
ttl = "2h"
[guard]
adapter_ttl = { courier = "1h", popa3d = "1m" }
deny_users = ["shared@*"]
`;
const parse = (text: string) => parseConfig(text, "popgate.toml", ["dovecot", "courier", "popa3d"]);

describe("the ttl of a login", () => {
  test.each([
    ["dovecot", "/var/log/mail.log", 30],
    ["courier", "/var/log/mail.log", 60],
    ["popa3d", "/var/log/mail.log", 1],
    ["dovecot", "/var/log/pop3d.log", 5],
    ["courier", "/var/log/pop3d.log", 5],
    ["popa3d", "/var/log/pop3d.log", 1],
    ["dovecot", "journal:dovecot.service", 120],
    ["courier", "journal:dovecot.service", 60],
    ["dovecot", "/var/log/gone.log", 30],
    ["courier", undefined, 60],
    ["dovecot", undefined, 30],
  ])("%s in %s: %s minutes", (adapter, source, minutes) => {
    expect(rulesOf(parse(text)).ttlOf(adapter, source)).toBe(minutes * minute);
  });

  test("without others is the general one", () => {
    expect(rulesOf(parse(`ttl = "7m"\n${least}`)).ttlOf("courier", undefined)).toBe(7 * minute);
  });

  test.each([
    [least, 30],
    [text, 120],
    [`ttl = "3h"\n${text}`, 180],
  ])("what may count is not older than the longest one", (text, minutes) => {
    expect(longestTtl(parse(text))).toBe(minutes * minute);
  });
});

test("the rules are those of the config", () => {
  const rules = rulesOf(
    parse(
      `${least}[guard]\nnever = ["192.0.2.0/24"]\nallow = ["10.0.0.0/8"]\nservices = ["pop3"]\nallow_users = ["ann"]
deny_users = ["bob"]\nmax_grants = 1\nmax_clients_per_user = 2\ntoo_many_clients = "hold"\nhold = "3m"
max_users_per_client = 4\ntoo_many_users = "refuse"\nshort_ttl = "5m"\n`,
    ),
  );
  const { never, allow, allowUsers, denyUsers, ttlOf: _, ...plain } = rules;
  expect(plain).toEqual({
    ttl: 30 * minute,
    longestTtl: 30 * minute,
    services: new Set(["pop3"]),
    maxGrants: 1,
    maxClientsPerUser: 2,
    tooManyClients: "hold",
    hold: 3 * minute,
    maxUsersPerClient: 4,
    tooManyUsers: "refuse",
    shortTtl: 5 * minute,
  });
  expect([allowUsers.has("ann"), allowUsers.has("bob"), denyUsers.has("bob")]).toEqual([
    true,
    false,
    true,
  ]);
  const [one, other] = ["192.0.2.1", "10.0.0.1"] as Parameters<typeof never.has>[0][];
  expect(one !== undefined && never.has(one)).toBe(true);
  expect(other !== undefined && allow.has(other) && !never.has(other)).toBe(true);
});
