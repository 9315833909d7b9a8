/** What defineAdapter refuses to load. */
import { describe, expect, test } from "vitest";
import { defineAdapter, tagsOf } from "../../src/adapters/adapter.ts";
import type { Adapter } from "../../src/adapters/adapter.ts";

const fine: Adapter = {
  name: "toy",
  programs: ["toyd"],
  markers: ["hello "],
  logins: [/^hello (?<service>imap) (?<user>[^ ]+) (?<client>[^ ]+)$/],
};

test("takes what is whole, and freezes it", () => {
  expect(Object.isFrozen(defineAdapter(fine))).toBe(true);
  expect(tagsOf(fine)).toEqual([["toyd", undefined]]);
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
