import { expect, test } from "vitest";
import { Crowds } from "../../src/grants/crowds.ts";
import type { Grant, Login } from "../../src/model.ts";
import { client, ttl } from "./bench.ts";

const grant = (user: string, name = "192.0.2.7"): Grant => ({
  client: client(name),
  user,
  service: "imap",
  adapter: "dovecot",
  granted: 0,
  renewed: 0,
  expires: ttl,
});
const login = (user: string, name?: string): Login => ({ ...grant(user, name), at: 0 });

test("a client's users are counted from the second on, up to one more than the maximum", () => {
  const crowds = new Crowds(3);
  expect(crowds.join(login("user0"), ttl, undefined, 0)).toBe(1);
  const users = Array.from({ length: 8 }, (_, n) => `user${String(n)}`);
  const counts = users.map((user) => crowds.join(login(user), ttl, grant("user0"), 0));
  expect(counts).toEqual([1, 2, 3, 4, 4, 4, 4, 4]);
  expect(crowds.join(login("user9"), 2 * ttl, undefined, ttl)).toBe(1);
});

test("what was granted by order has no user", () => {
  const crowds = new Crowds(3);
  const ordered = { ...grant(""), why: "" };
  expect(crowds.join(login("ann"), ttl, ordered, 0)).toBe(1);
  expect(crowds.join(login("bob"), ttl, ordered, 0)).toBe(1);
});

test("whoever's time is over is counted no more", () => {
  const crowds = new Crowds(3);
  for (const [n, user] of ["ann", "bob", "eve"].entries()) {
    crowds.join(login(user), ttl + n, grant("joe"), 0);
  }
  // Joe's and Ann's are over.
  expect(crowds.join(login("ivy"), 3 * ttl, undefined, ttl)).toBe(3);
  expect(crowds.join(login("max"), 3 * ttl, undefined, ttl)).toBe(4);
  expect(crowds.join(login("bob"), 3 * ttl, undefined, ttl + 2)).toBe(3);
});

test("of too many those are remembered whose time is over last", () => {
  const crowds = new Crowds(2);
  const ends = [50, 20, 40, 30, 10, 60];
  const counts = ends.map((end) =>
    crowds.join(login(`user${String(end)}`), end, { ...grant("ann"), expires: 5 }, 0),
  );
  expect(counts).toEqual([2, 3, 3, 3, 3, 3]);
  // 60, 50 and 40 are left, and the time of none of the others.
  expect(crowds.join(login("user60"), 60, undefined, 30)).toBe(3);
  expect(crowds.join(login("user60"), 60, undefined, 40)).toBe(2);
});

test("once a minute those are forgotten whose time is over", () => {
  const crowds = new Crowds(3);
  crowds.sweep(0, 0);
  crowds.join(login("bob"), 2 * ttl, grant("ann"), 0);
  crowds.join(login("bob", "192.0.2.8"), ttl + 2, { ...grant("ann"), expires: ttl + 1 }, 0);
  crowds.sweep(ttl, 59_999);
  expect(crowds.size).toBe(2);
  crowds.sweep(ttl, 60_000);
  expect(crowds.size).toBe(1);
});

test("beyond 100,000 users the crowd that began first is forgotten", () => {
  const crowds = new Crowds(3);
  const names = Array.from({ length: 50_001 }, (_, n) => `2001:db8::${n.toString(16)}`);
  const join = (name: string, user: string) =>
    crowds.join(login(user, name), ttl, grant("ann", name), 0);
  for (const name of names) join(name, "bob");
  expect(join(names.at(-1) ?? "", "joe")).toBe(3);
  expect(join(names[0] ?? "", "joe")).toBe(2);
});
