/** What defineAdapter refuses to load. */
import { describe, expect, test } from "vitest";
import { defineAdapter, isDefault, tagsOf } from "../../src/adapters/adapter.ts";
import type { Adapter } from "../../src/adapters/adapter.ts";
import type { Correlation } from "../../src/adapters/correlate.ts";

const fine: Adapter = {
  name: "toy",
  proof: "daemon",
  programs: ["toyd"],
  markers: ["hello "],
  logins: [/^hello (?<service>imap) (?<user>[^ ]+) (?<client>[^ ]+)$/],
};

test("takes what is whole, and freezes it", () => {
  expect(Object.isFrozen(defineAdapter(fine))).toBe(true);
  expect(tagsOf(fine)).toEqual([["toyd", undefined]]);
});

test("counts by default if there is proof, and nothing speaks against it", () => {
  expect(isDefault(fine)).toBe(true);
  expect(isDefault({ ...fine, proof: "unproved" })).toBe(false);
  expect(isDefault({ ...fine, optIn: "it is rare" })).toBe(false);
});

const joined: Correlation = {
  by: "session",
  first: [/^(?<session>a) from (?<client>b)$/],
  second: [/^(?<session>a) (?<service>imap) (?<user>c)$/],
  ends: [/^(?<session>a) bye$/],
};

test("takes a login of two lines, alone or beside one of one line", () => {
  expect(defineAdapter({ ...fine, correlate: joined }).correlate).toBe(joined);
  expect(defineAdapter({ ...fine, logins: [], correlate: joined }).logins).toEqual([]);
  const bare = { first: [/^from (?<client>b)$/], second: [/^(?<service>imap) (?<user>c)$/] };
  const byPid: Correlation = { by: "pid", ...bare, ends: [/^bye$/] };
  expect(defineAdapter({ ...fine, correlate: byPid }).correlate).toBe(byPid);
});

test("takes a service from the tag", () => {
  const byTag = {
    ...fine,
    programs: { imap: ["a"], pop3: ["b"] },
    logins: [/^(?<user>a) (?<client>b)$/],
  };
  expect(tagsOf(defineAdapter(byTag))).toEqual([
    ["a", "imap"],
    ["b", "pop3"],
  ]);
});

describe("refuses", () => {
  const faults: [part: Partial<Adapter>, told: string][] = [
    [{ name: "Toy!" }, "its name is not made of a-z, 0-9 and -"],
    [{ programs: [] }, "it has no programs"],
    [{ programs: { imap: [], pop3: [] } }, "it has no programs"],
    [{ programs: ["toyd", "toyd"] }, "a program stands twice"],
    [{ programs: { imap: ["toyd"], pop3: ["toyd"] } }, "a program stands twice"],
    [{ programs: ["toyd:"] }, '"toyd:" cannot be a syslog tag'],
    [{ programs: ["toyé"] }, '"toyé" cannot be a syslog tag'],
    [{ programs: ["toy[1]"] }, '"toy[1]" cannot be a syslog tag'],
    [{ programs: [""] }, '"" cannot be a syslog tag'],
    [{ markers: [] }, "it has no marker"],
    [{ markers: ["a", " "] }, "a marker is empty"],
    [{ logins: [] }, "it has no login pattern"],
    [{ opening: /hello/ }, "opening does not start with ^"],
    [{ opening: /^a|hello/ }, "opening has a | outside of a group, which ends its anchors"],
    [
      { logins: [/(?<service>a) (?<user>b) (?<client>c)$/] },
      "login pattern 1 does not start with ^",
    ],
    [{ logins: [/^(?<service>a) (?<user>b) (?<client>c)/] }, "login pattern 1 does not end with $"],
    [
      { logins: [/^(?<service>a) (?<user>b) (?<client>c)\$/] },
      "login pattern 1 does not end with $",
    ],
    [{ logins: [/^(?<service>a) (?<user>b)$/] }, 'login pattern 1 has no group "client"'],
    [{ logins: [/^(?<service>a) (?<client>b)$/] }, 'login pattern 1 has no group "user"'],
    [{ logins: [/^(?<client>a) (?<user>b)$/] }, 'login pattern 1 has no group "service"'],
    [{ logins: [/^(?<service>a) (?<user>b)|(?<client>c)$/] }, "a | outside of a group"],
    [{ logins: [/^[(](?<service>a) (?<user>b)|(?<client>c)$/] }, "a | outside of a group"],
    [{ logins: [/^\((?<service>a) (?<user>b)|(?<client>c)$/] }, "a | outside of a group"],
    [{ correlate: { ...joined, first: [] } }, "it has no first line"],
    [{ correlate: { ...joined, second: [] } }, "it has no second line"],
    [{ correlate: { ...joined, ends: [] } }, "nothing ends its first line"],
    [
      { correlate: { ...joined, first: [/^(?<client>b)$/] } },
      'first line 1 has no group "session"',
    ],
    [
      { correlate: { ...joined, first: [/^(?<session>b)$/] } },
      'first line 1 has no group "client"',
    ],
    [{ correlate: { ...joined, first: [/(?<session>b)$/] } }, "first line 1 does not start with ^"],
    [
      { correlate: { ...joined, second: [/^(?<session>b) (?<user>c)$/] } },
      'second line 1 has no group "service"',
    ],
    [
      { correlate: { ...joined, second: [...joined.second, /^(?<session>b) (?<service>c)$/] } },
      'second line 2 has no group "user"',
    ],
    [{ correlate: { ...joined, ends: [/^bye$/] } }, 'end 1 has no group "session"'],
    [{ correlate: { ...joined, ends: [/^(?<session>a) bye/] } }, "end 1 does not end with $"],
    ...["g", "y", "m", "s", "i", "d"].map((flag): [Partial<Adapter>, string] => [
      { logins: fine.logins.map(({ source }) => new RegExp(source, flag)) },
      `login pattern 1 has the flag ${flag}`,
    ]),
  ];

  test.each(faults)("%o", (part, told) => {
    expect(() => defineAdapter({ ...fine, ...part })).toThrow(told);
  });

  test("with the adapter's name and all its faults in one error", () => {
    expect(() => defineAdapter({ ...fine, programs: [], markers: [] })).toThrow(
      new RangeError('adapter "toy": it has no programs; it has no marker'),
    );
  });
});

test.each([
  /^\\(?<service>a|b) (?<user>[|]) (?<client>\|)\\$/,
  /^(?<service>a)(?<user>b)(?<client>c)$/u,
])("takes %s", (pattern) => {
  expect(defineAdapter({ ...fine, logins: [pattern] }).logins).toEqual([pattern]);
});
