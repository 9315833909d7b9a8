import { expect, test } from "vitest";
import type { Client } from "../../src/client.ts";
import { isInMynetworks } from "../../src/host.ts";
import { walk } from "../../src/maps/restrictions.ts";

const table = "lmdb:/var/lib/popgate/relay";
const right = `permit_mynetworks, permit_sasl_authenticated, permit_auth_destination, check_client_access ${table}, reject_unauth_destination`;

test.each([
  ["in the table", right, false, "OK", 4, "permitted"],
  ["not in the table", right, false, undefined, 5, "refused"],
  ["in mynetworks", right, true, undefined, 1, "permitted"],
  ["maybe in mynetworks", right, undefined, "OK", 4, "permitted"],
  [
    "behind a wall",
    `reject_unauth_destination check_client_access ${table}`,
    false,
    "OK",
    1,
    "refused",
  ],
  ["through a proxy", `check_client_access proxy:${table}, reject`, false, "OK", 1, "permitted"],
  ["in another table", "check_client_access hash:/x, defer", false, "OK", 2, "refused"],
  ["with another value", `check_client_access ${table}, reject`, false, "DUNNO", 2, "refused"],
  ["a list without an end", "permit_mynetworks", false, undefined, 1, undefined],
  ["an empty list", "", false, undefined, 0, undefined],
] as const)("%s", (_, restrictions, isOwn, answer, steps, end) => {
  const walked = walk(restrictions, table, { isOwn, answer });
  expect([walked.length, walked.at(-1)?.ends]).toEqual([steps, end]);
});

test.each([
  ["127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "192.0.2.7", false],
  ["127.0.0.0/8 [::ffff:192.0.2.0]/120 [::1]/128", "192.0.2.7", true],
  ["127.0.0.0/8, 192.0.2.0/24", "192.0.2.7", true],
  ["[2001:db8::]/32", "2001:db8::7", true],
  ["127.0.0.0/8 hash:/etc/postfix/networks", "192.0.2.7", undefined],
  ["", "192.0.2.7", false],
])("mynetworks %s and %s", (mynetworks, client, isOwn) => {
  expect(isInMynetworks(mynetworks, client as Client)).toBe(isOwn);
});
