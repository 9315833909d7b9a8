import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asks, faultsOfPlace, refusesRelaying, withTable } from "../../src/maps/restrictions.ts";

const table = "hash:/var/lib/popgate/relay";
const ask = `check_client_access ${table}`;

describe("the place of a table", () => {
  test.each([
    [
      "as advised",
      `permit_mynetworks, permit_sasl_authenticated, permit_auth_destination, ${ask}, reject_unauth_destination`,
    ],
    ["without commas", `permit_mynetworks permit_auth_destination ${ask} defer_unauth_destination`],
    ["through proxymap", `permit_auth_destination, check_client_access proxy:${table}, reject`],
    ["as the last one", `permit_auth_destination, ${ask}`],
    ["in braces", `permit_auth_destination { ${ask} } reject_unauth_destination`],
  ])("is right: %s", (_, value) => {
    expect(faultsOfPlace(value, table)).toEqual([]);
  });

  test.each([
    ["permit_mynetworks, permit_auth_destination, reject_unauth_destination", [/is missing/]],
    ["", [/is missing/]],
    [`permit_auth_destination, check_client_access ${table}2, reject`, [/is missing/]],
    [`permit_auth_destination, check_sender_access ${table}, reject`, [/is missing/]],
    [
      `permit_auth_destination, reject_unauth_destination, ${ask}`,
      [/behind reject_unauth_destination/],
    ],
    [
      `permit_mynetworks, permit_auth_destination, defer_unauth_destination, ${ask}`,
      [/behind defer_unauth_destination/],
    ],
    [`permit_auth_destination, ${ask}, permit_mynetworks, reject`, [/before permit_mynetworks/]],
    [`permit_mynetworks, ${ask}, reject_unauth_destination`, [/permit_auth_destination/]],
    [
      `${ask}, permit_mynetworks, permit_auth_destination, reject`,
      [/before permit_mynetworks/, /permit_auth_destination/],
    ],
  ])("is wrong: %s", (value, faults) => {
    expect(faultsOfPlace(value, table)).toEqual(
      faults.map((fault) => expect.stringMatching(fault)),
    );
  });
});

test.each([
  ["", false],
  ["reject_unknown_recipient_domain, permit", false],
  ["permit_mynetworks, reject_unauth_destination", true],
  ["permit_mynetworks,defer_unauth_destination", true],
  ["permit_sasl_authenticated, reject", true],
])("recipient restrictions %j refuse relaying: %s", (value, refuses) => {
  expect(refusesRelaying(value)).toBe(refuses);
});

test("asking", () => {
  expect(asks(`permit_mynetworks ${ask}`, table)).toBe(true);
  expect(asks(`permit_mynetworks`, table)).toBe(false);
});

describe("putting the table where it belongs", () => {
  test.each([
    [
      "Debian's",
      "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
      `permit_mynetworks, permit_sasl_authenticated, permit_auth_destination, ${ask}, defer_unauth_destination`,
    ],
    [
      "other tables",
      "permit_mynetworks, check_client_access cidr:/a, reject_unauth_destination, check_policy_service unix:b",
      `permit_mynetworks, check_client_access cidr:/a, permit_auth_destination, ${ask}, reject_unauth_destination, check_policy_service unix:b`,
    ],
    [
      "behind the wall",
      `permit_auth_destination, reject_unauth_destination, ${ask}`,
      `permit_auth_destination, ${ask}, reject_unauth_destination`,
    ],
    ["nothing", "", `permit_auth_destination, ${ask}, reject_unauth_destination`],
    [
      "right already",
      `permit_auth_destination ${ask} reject`,
      `permit_auth_destination ${ask} reject`,
    ],
  ])("%s", (_, value, right) => {
    expect(withTable(value, table)).toBe(right);
  });

  test("wherever the list comes from, nothing is wrong with it afterwards, and nothing of it is lost", () => {
    const words = [
      "permit_sasl_authenticated",
      "permit_auth_destination",
      "reject_unauth_destination",
      "defer",
      ask,
      "check_client_access cidr:/a",
    ];
    const lists = fc.array(fc.constantFrom(...words), { maxLength: 8 });
    fc.assert(
      fc.property(lists, fc.boolean(), (list, mine) => {
        const value = [...(mine ? ["permit_mynetworks"] : []), ...list].join(", ");
        const right = withTable(value, table);
        expect(faultsOfPlace(right, table)).toEqual([]);
        for (const word of list) expect(right).toContain(word);
      }),
    );
  });
});
