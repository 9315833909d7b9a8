import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/audit-event.ts";
import { Visits } from "../../src/audit/visits.ts";
import { canonicalClient } from "../../src/client.ts";

const start = Date.parse("2026-11-23T06:00:00Z");
const minute = 60_000;
const visit = (user: string, address = "192.0.2.7"): AuditEvent => ({
  event: "renewed",
  client: canonicalClient(address),
  user,
});

test("each client and user gets one line an hour, with the number of logins and the latest", () => {
  const visits = new Visits();
  const told = [];
  for (let at = start; at < start + 180 * minute; at += 5 * minute) {
    told.push(...visits.take({ ...visit("ann"), login: at }, at));
    if (at % (10 * minute) === 0) told.push(...visits.take({ ...visit("bob"), login: at }, at));
  }
  told.push(...visits.all());
  expect(
    told.map(({ user, logins, login = 0 }) => [user, logins, (login - start) / minute]),
  ).toEqual([
    ["ann", 12, 55],
    ["bob", 6, 50],
    ["ann", 12, 115],
    ["bob", 6, 110],
    ["ann", 12, 175],
    ["bob", 6, 170],
  ]);
  expect(visits.waiting).toBe(false);
});

test("one client with two users is two, and so is one user with two clients", () => {
  const visits = new Visits();
  visits.take(visit("ann"), start);
  visits.take(visit("bob"), start);
  visits.take(visit("ann", "192.0.2.8"), start);
  visits.take(visit("ann"), start);
  expect(visits.over(start + 59 * minute)).toEqual([]);
  expect(visits.over(start + 60 * minute).map(({ logins }) => logins)).toEqual([2, 1, 1]);
});

test("what there is no room for is told at once", () => {
  const visits = new Visits();
  for (let n = 0; n < 100_000; n++) expect(visits.take(visit(String(n)), start)).toEqual([]);
  expect(visits.take(visit("one more"), start)).toMatchObject([{ user: "one more", logins: 1 }]);
  expect(visits.take(visit("0"), start)).toEqual([]);
  expect(visits.all()).toHaveLength(100_000);
});
