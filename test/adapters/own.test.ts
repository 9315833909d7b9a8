/** What becomes of the adapters that a user writes, and what he is told. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { isLogin, Matcher } from "../../src/adapters/matcher.ts";
import { ownAdapters, type OwnAdapter } from "../../src/adapters/own.ts";
import { cases as casesOf } from "./cases.ts";
import { judgedAt } from "./judged.ts";
import { words } from "./words.ts";

const prefix = "Nov 23 06:31:08 mx acme-popd[7]: ";
const acme: OwnAdapter = {
  name: "acme",
  programs: ["acme-popd"],
  service: "pop3",
  pattern: [String.raw`^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$`],
  must_match: [`${prefix}user ann logged in from [192.0.2.7]`],
  must_not_match: [`${prefix}user ann failed from [192.0.2.7]`],
};

/** Nothing is too slow; what is comes from the checker, which has a test of its own. */
const linear = async (patterns: readonly RegExp[]) => patterns.map(() => undefined);

async function faultsOf(...all: Partial<OwnAdapter>[]): Promise<string[]> {
  const whole = all.map((part) => ({ ...acme, ...part }));
  const { faults } = await ownAdapters(whole, adapters, linear);
  return faults.map(([key, what]) => `${key}: ${what}`);
}

test("one that is right is an adapter like the others, on by default, and finds its logins", async () => {
  const { adapters: own, faults } = await ownAdapters([acme], adapters, linear);
  expect(faults).toEqual([]);
  expect(own).toEqual([
    {
      name: "acme",
      proof: "config",
      programs: { imap: [], pop3: ["acme-popd"] },
      markers: [" logged in from ["],
      logins: [/^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$/],
    },
  ]);
  const matcher = new Matcher(own, { zone: "UTC" });
  const bytes = Buffer.from(`${prefix}user bob logged in from [2001:db8::7]`);
  const match = matcher.match({ bytes, live: true }, judgedAt);
  expect(isLogin(match) && match).toMatchObject({
    adapter: "acme",
    user: "bob",
    client: "2001:db8::7",
    service: "pop3",
  });
});

describe("each fault is told with its key and what would be right", () => {
  const cases: [what: string, part: Partial<OwnAdapter>, faults: (string | RegExp)[]][] = [
    [
      "a parenthesis is open",
      { pattern: ["^(?<user>a$"] },
      ["adapter[0].pattern: is not a regular expression: Unterminated group"],
    ],
    [
      "it is not anchored",
      { pattern: ["user (?<user>[^ ]+) logged in from (?<client>[^ ]+)"] },
      ["adapter[0].pattern: does not start with ^", "adapter[0].pattern: does not end with $"],
    ],
    [
      "it begins with anything",
      { pattern: ["^.*user (?<user>[^ ]+) logged in from (?<client>[^ ]+)$"] },
      ["adapter[0].pattern: begins with anything: say what the message begins with"],
    ],
    [
      "it begins with anything in a group",
      { pattern: ["^(?:(?<user>.+)) logged in from (?<client>[^ ]+)$"] },
      ["adapter[0].pattern: begins with anything: say what the message begins with"],
    ],
    [
      "a | ends its anchors",
      { pattern: ["^user (?<user>[^ ]+)|(?<client>[^ ]+)$"] },
      ["adapter[0].pattern: has a | outside of a group, which ends its anchors"],
    ],
    [
      "groups are missing",
      { pattern: ["^user [^ ]+ logged in$"], service: undefined },
      [
        'adapter[0].pattern: has no group "user"',
        'adapter[0].pattern: has no group "client"',
        'adapter[0].pattern: has no group "service", and there is no key service',
      ],
    ],
    [
      "it is written with flags",
      { pattern: ["/^user (?<user>[^ ]+) (?<client>[^ ]+)$/i"] },
      ["adapter[0].pattern: stands between slashes; write the expression alone, it has no flags"],
    ],
    [
      "it sets flags",
      { pattern: ["^(?i)user (?<user>[^ ]+) (?<client>[^ ]+)$"] },
      ["adapter[0].pattern: sets flags; a pattern has none"],
    ],
    [
      "nothing in it is searched for",
      { pattern: ["^(?<user>[^ ]+) - (?<client>[^ ]+)$"] },
      [
        "adapter[0].pattern: has no text of 4 characters that stands in every login: lines are searched for it",
      ],
    ],
    [
      "one of several is wrong",
      { pattern: [...acme.pattern, "^("] },
      ["adapter[0].pattern[1]: is not a regular expression: Unterminated group"],
    ],
    [
      "two take one line",
      {
        pattern: [
          ...acme.pattern,
          String.raw`^user (?<user>ann) logged in from \[(?<client>[\d.]+)\]$`,
        ],
      },
      ["adapter[0].must_match[0]: pattern[0] and pattern[1] take it, both"],
    ],
    [
      "one has no sample",
      { pattern: [...acme.pattern, "^user (?<user>[^ ]+) came in by (?<client>[^ ]+)$"] },
      ['adapter[0].pattern[1]: takes no line of must_match; give one of "acme-popd"'],
    ],
    [
      "a sample is no login",
      { must_match: [`${prefix}user ann logged in from 192.0.2.7`] },
      [
        String.raw`adapter[0].must_match[0]: no pattern takes it: it fits up to "user ann logged in from ", where "\[(?<client>[^\]]+)\]$" should go on, and "192.0.2.7" does`,
      ],
    ],
    [
      "a sample is cut",
      { must_match: [prefix.trimEnd()] },
      [/^adapter\[0\]\.must_match\[0\]: popgate does not know what it begins with/],
    ],
    [
      "a sample has no prefix",
      { must_match: ["user ann logged in from [192.0.2.7]"] },
      [
        /^adapter\[0\]\.must_match\[0\]: popgate does not know what it begins with; give the whole line/,
      ],
    ],
    [
      "a sample is two",
      { must_match: [`${acme.must_match[0] ?? ""}\n`] },
      ["adapter[0].must_match[0]: is more than one line"],
    ],
    [
      "a sample is another program's",
      { programs: ["acme-imapd"] },
      [
        'adapter[0].must_match[0]: is a line of "acme-popd", and programs names "acme-imapd"',
        'adapter[0].must_not_match: has no line of "acme-imapd"; give one that tells of a failed login',
      ],
    ],
    [
      "its client is none",
      { must_match: [`${prefix}user ann logged in from [mail.example.org]`] },
      ['adapter[0].must_match[0]: its client "mail.example.org" is not one usable unicast address'],
    ],
    [
      "its client can be nobody's",
      { must_match: [`${prefix}user ann logged in from [0.0.0.0]`] },
      ['adapter[0].must_match[0]: its client "0.0.0.0" is not one usable unicast address'],
    ],
    [
      "its user is nobody",
      { must_match: [`${prefix}user anonymous logged in from [192.0.2.7]`] },
      ["adapter[0].must_match[0]: it is refused: anybody can log in anonymously"],
    ],
    [
      "its stamp is no date",
      { must_match: [acme.must_match[0]?.replace("23", "31") ?? ""] },
      ["adapter[0].must_match[0]: it is refused: its time stamp is no date"],
    ],
    [
      "what must not match does",
      { must_not_match: [`${prefix}user eve logged in from [192.0.2.9]`] },
      ["adapter[0].must_not_match[0]: is taken for a login of eve from 192.0.2.9"],
    ],
    [
      "what must not match is another program's",
      { must_not_match: ["Nov 23 06:31:08 mx postfix/smtpd[7]: connect from x"] },
      [
        'adapter[0].must_not_match: has no line of "acme-popd"; give one that tells of a failed login',
      ],
    ],
    [
      "what must not match is no line",
      { must_not_match: ["user ann failed"] },
      [/^adapter\[0\]\.must_not_match\[0\]: popgate does not know what it begins with/],
    ],
  ];
  test.each(cases)("%s", async (_, part, faults) => {
    expect(await faultsOf(part)).toEqual(
      faults.map((fault) => (typeof fault === "string" ? fault : expect.stringMatching(fault))),
    );
  });

  test("a parenthesis that is text is none of a group", async () => {
    expect(
      await faultsOf({
        pattern: [
          String.raw`^user (?<user>[^ ]+) logged in from (?<client>[\d.]+) (?:\(?tls\)|-)$`,
        ],
        must_match: [`${prefix}user ann logged in from 192.0.2.7 (tls)`],
      }),
    ).toEqual([]);
  });

  test("a built-in adapter takes a sample, too", async () => {
    const line =
      "Nov 23 06:31:08 mx imapd: LOGIN, user=bob, ip=[::ffff:192.0.2.8], port=[5], protocol=IMAP";
    expect(
      await faultsOf({
        programs: ["imapd"],
        pattern: [
          String.raw`^LOGIN, user=(?<user>[^ ,]+), ip=\[(?<client>[^\]]+)\], port=\[\d+\], protocol=IMAP$`,
        ],
        must_match: [line],
        must_not_match: [line.replace("LOGIN", "LOGIN FAILED")],
      }),
    ).toEqual([
      'adapter[0].must_match[0]: the adapter "courier" takes it, too; with both it grants nothing',
    ]);
  });

  test("two of his own take the same, and all faults of all of them are told", async () => {
    expect(await faultsOf(acme, { name: "other" }, { name: "third", pattern: ["^("] })).toEqual([
      "adapter[2].pattern: is not a regular expression: Unterminated group",
      'adapter[0].must_match[0]: the adapter "other" takes it, too; with both it grants nothing',
      'adapter[1].must_match[0]: the adapter "acme" takes it, too; with both it grants nothing',
    ]);
  });

  test("what a hostile line could hold up is matched against nothing", async () => {
    const slow = String.raw`^user (?<user>(?:[^ ]+)+) logged in from \[(?<client>[^\]]+)\]$`;
    const line = `${prefix}user ${"a".repeat(60)}`;
    const { faults } = await ownAdapters(
      [{ ...acme, pattern: [slow], must_match: [line] }, acme],
      adapters,
      async (patterns) => patterns.map(({ source }) => (source === slow ? "is slow" : undefined)),
    );
    expect(faults).toEqual([["adapter[0].pattern", "is slow"]]);
  });
});

describe("whoever chooses a name, and with it the client, is found out", () => {
  const cases: [
    what: string,
    pattern: string,
    genuine: string,
    refused: string,
    proof: string | undefined,
  ][] = [
    [
      "a name that ends at a blank",
      String.raw`^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$`,
      "user ann logged in from [192.0.2.7]",
      "user ann failed",
      undefined,
    ],
    [
      "any name, before the last address",
      String.raw`^user (?<user>.*) logged in from \[(?<client>[^\]]+)\]$`,
      "user ann logged in from [192.0.2.7]",
      "user ann failed",
      undefined,
    ],
    [
      "any name, before something else",
      String.raw`^user (?<user>.*?) logged in from \[(?<client>[^\]]+)\].*$`,
      "user ann logged in from [192.0.2.7] by TLS",
      "user ann failed",
      "user ann logged in from [203.0.113.66]",
    ],
    [
      "a name behind the address",
      String.raw`^from (?<client>[^ ]+) logged in user=(?<user>.*)$`,
      "from 192.0.2.7 logged in user=ann",
      "from 192.0.2.7 failed user=ann",
      undefined,
    ],
    [
      "a name in the place of what stands before it",
      String.raw`^login (?:ok )?.*user=(?<user>[^ ]+) rip=(?<client>[^ ,]+),.*$`,
      "login ok helo=mx user=ann rip=192.0.2.7, TLS",
      "login failed user=ann",
      "rip=203.0.113.66,",
    ],
    [
      "a host's name before the address",
      String.raw`^user (?<user>[^ ]+) logged in from (?<host>.*?)\[(?<client>[^\]]+)\].*$`,
      "user ann logged in from pc.example[192.0.2.7]",
      "user ann failed",
      "[203.0.113.66]",
    ],
    [
      "the same without a group",
      String.raw`^user (?<user>[^ ]+) logged in from .*?\[(?<client>[^\]]+)\].*$`,
      "user ann logged in from pc.example[192.0.2.7]",
      "user ann failed",
      "[203.0.113.66]",
    ],
    [
      "the name of a failed login",
      String.raw`^[a-z]+ (?<user>[^ ]+).* logged in from (?<client>[^ ]+)$`,
      "user ann logged in from 192.0.2.7",
      "failed: ann",
      undefined,
    ],
    [
      "the name of a failed login that fits what stands around it",
      String.raw`^[a-z ]+ (?<user>[^ ]+) logged in from (?<client>[^ ]+)(?: [a-z ]+)?$`,
      "user ann logged in from 192.0.2.7",
      "no such user ann on pop",
      "logged in from 203.0.113.66 on pop",
    ],
  ];
  test.each(cases)("%s", async (_, pattern, genuine, refused, proof) => {
    const faults = await faultsOf({
      pattern: [pattern],
      must_match: [prefix + genuine],
      must_not_match: [prefix + refused],
    });
    expect(faults).toEqual(
      proof === undefined
        ? []
        : [expect.stringMatching(/^adapter\[0\]\.pattern: a stranger who writes/)],
    );
    expect(faults.join()).toContain(proof ?? "");
  });

  test.each(cases.filter(([, , , , proof]) => proof === undefined))(
    "and where nothing is found out, whatever the name is, the client is the genuine one, or none: %s",
    async (_, pattern, genuine, refused) => {
      const own = {
        ...acme,
        pattern: [pattern],
        must_match: [prefix + genuine],
        must_not_match: [prefix + refused],
      };
      const { adapters: made } = await ownAdapters([own], adapters, linear);
      const matcher = new Matcher(made, { zone: "UTC" });
      const name = fc.array(fc.constantFrom(...words, genuine, refused), { maxLength: 8 });
      fc.assert(
        fc.property(name, fc.constantFrom(genuine, refused), (parts, message) => {
          const bytes = Buffer.from(prefix + message.replace("ann", () => parts.join("")));
          const match = matcher.match({ bytes, live: true }, judgedAt);
          expect(isLogin(match) ? match.client : "192.0.2.7").toBe("192.0.2.7");
        }),
        { numRuns: casesOf(1000) },
      );
    },
  );
});
