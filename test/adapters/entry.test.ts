/** Prefixes in all their forms, and what is none. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { entryOf, families } from "../../src/adapters/entry.ts";
import { adapters } from "../../src/adapters/index.ts";
import { format } from "../../src/values.ts";
import { corpusOf, linesOf, samplesOf } from "./judged.ts";

const bsd = "Nov 23 06:12:27";
const iso = "2026-11-23T06:12:27.123456+01:00";

type Row = [
  line: string,
  stamp: string | undefined,
  host: string | undefined,
  program: string,
  pid: number | undefined,
  message: string,
];

const entries: Row[] = [
  [`${bsd} mx dovecot: a b`, bsd, "mx", "dovecot", undefined, "a b"],
  [`${bsd} mx dovecot[77]: a b`, bsd, "mx", "dovecot", 77, "a b"],
  ["Nov  3 06:12:27 mx imapd: a", "Nov  3 06:12:27", "mx", "imapd", undefined, "a"],
  ["Nov 3 06:12:27 mx imapd: a", "Nov 3 06:12:27", "mx", "imapd", undefined, "a"],
  ["Nov 03 06:12:27 mx imapd: a", "Nov 03 06:12:27", "mx", "imapd", undefined, "a"],
  [`${iso} mx.example.org cyrus/pop3[9]: a`, iso, "mx.example.org", "cyrus/pop3", 9, "a"],
  ["2026-11-23T05:12:27Z mx a: b", "2026-11-23T05:12:27Z", "mx", "a", undefined, "b"],
  ["2026-11-23T05:12:27+0100 mx a: b", "2026-11-23T05:12:27+0100", "mx", "a", undefined, "b"],
  ["2026-11-23 05:12:27 mx a: b", "2026-11-23 05:12:27", "mx", "a", undefined, "b"],
  [`${bsd} 2001:db8::1 a: b`, bsd, "2001:db8::1", "a", undefined, "b"],
  [`${bsd} (none) a: b`, bsd, "(none)", "a", undefined, "b"],
  [`${bsd} src@mx/relay a: b`, bsd, "src@mx/relay", "a", undefined, "b"],
  [`${bsd} mx a: `, bsd, "mx", "a", undefined, ""],
  [`<22>${bsd} mx a: b`, bsd, "mx", "a", undefined, "b"],
  [`<22>${iso} mx a: b`, iso, "mx", "a", undefined, "b"],
  [`${bsd} <mail.info> mx a[1]: b`, bsd, "mx", "a", 1, "b"],
  [`<22>1 ${iso} mx dovecot - - -  a`, iso, "mx", "dovecot", undefined, "a"],
  [`<22>1 ${iso} mx dovecot 77 id -  a`, iso, "mx", "dovecot", 77, "a"],
  [`<22>1 ${iso} mx dovecot x - - \uFEFFa`, iso, "mx", "dovecot", undefined, "a"],
  [`<22>1 - - a - - [x@1 y="a \\" ] b"][z] c`, undefined, undefined, "a", undefined, "c"],
  [
    `${bsd} imap-login: Info: Login: a`,
    bsd,
    undefined,
    "dovecot",
    undefined,
    "imap-login: Info: Login: a",
  ],
  [
    "2026-11-23 05:12:27 imap(a)<1>: Error: b",
    "2026-11-23 05:12:27",
    undefined,
    "dovecot",
    undefined,
    "imap(a)<1>: Error: b",
  ],
  [
    `dovecot: ${bsd} Info: imap-login: Login: a`,
    bsd,
    undefined,
    "dovecot",
    undefined,
    "imap-login: Login: a",
  ],
  [`${bsd} mx a[1]: [ID 702911 mail.info] b`, bsd, "mx", "a", 1, "b"],
  [`${bsd} mx a[1]: [ID x mail.info] b`, bsd, "mx", "a", 1, "[ID x mail.info] b"],
  [`${bsd} [popper] (v4) b`, bsd, undefined, "popper", undefined, "(v4) b"],
  [`${bsd} [in.qpopper] b`, bsd, undefined, "in.qpopper", undefined, "b"],
  [
    "2026-11-23 05:12:27,123 INFO  [ImapServer-1] [ip=192.0.2.7;] b",
    "2026-11-23 05:12:27,123",
    undefined,
    "zimbra",
    undefined,
    "INFO  [ImapServer-1] [ip=192.0.2.7;] b",
  ],
  [
    "2026-11-23T05:12:27Z INFO A b (auth.success) listenerId = 1",
    "2026-11-23T05:12:27Z",
    undefined,
    "stalwart",
    undefined,
    "INFO A b (auth.success) listenerId = 1",
  ],
  [`${bsd} mx a: message repeated 3 times: [ b [c]]`, bsd, "mx", "a", undefined, "b [c]"],
  [
    `${bsd} mx a: message repeated 3 times: [ b`,
    bsd,
    "mx",
    "a",
    undefined,
    "message repeated 3 times: [ b",
  ],
  [
    `${bsd} mx a: message repeated many times: [ b]`,
    bsd,
    "mx",
    "a",
    undefined,
    "message repeated many times: [ b]",
  ],
];

test.each(entries)("%j", (line, stamp, host, program, pid, message) => {
  expect(entryOf(line)).toEqual({ stamp, host, program, pid, message });
  expect(families.filter(({ prefix }) => prefix.test(line))).toHaveLength(1);
});

test.each(["dovecot-1  | ", "mail_dovecot_1 | ", "a | "])(
  "%j may stand before a prefix",
  (name) => {
    for (const [line] of entries) expect(entryOf(name + line)).toEqual(entryOf(line));
    expect(entryOf(name + name + `${bsd} mx a: b`)).toBeUndefined();
  },
);

test.each([
  "",
  " | Nov 23 06:12:27 mx a: b",
  "a b | Nov 23 06:12:27 mx a: b",
  "a| Nov 23 06:12:27 mx a: b",
  "imap-login: Login: user=<a>",
  "dovecot: imap-login: Login: user=<a>",
  "dovecot: Nov 23 06:12:27 Error: imap-login: Login: user=<a>",
  `${bsd} `,
  `${bsd} mx`,
  `${bsd} mx dovecot`,
  `${bsd} mx dovecot:`,
  `${bsd} mx dovecot a: b`,
  `${bsd} mx dovecot[abc]: b`,
  `${bsd} mx dovecot[1] b: c`,
  `${bsd} postfix/smtpd[1]: dovecot: b`,
  `${bsd} postfix/smtpd: dovecot: b`,
  `${bsd} mx last message repeated 3 times`,
  `${bsd} ${bsd} mx dovecot: a`,
  `${bsd}  mx dovecot: a`,
  ` ${bsd} mx dovecot: a`,
  `x${bsd} mx dovecot: a`,
  "Now 23 06:12:27 mx dovecot: a",
  "Nov 23 6:12:27 mx dovecot: a",
  `${bsd}\tmx dovecot: a`,
  `${bsd} [smtpd] a`,
  `${bsd} [12] a`,
  "2026-11-23 05:12:27 INFO  [ImapServer-1] [ip=192.0.2.7;] b",
  "2026-11-23T05:12:27,123 INFO  [ImapServer-1] [ip=192.0.2.7;] b",
  "2026-11-23T05:12:27+01:00 INFO A b (auth.success) listenerId = 1",
  "2026-11-23T05:12:27Z A b (auth.success) listenerId = 1",
  `<22>2 ${iso} mx dovecot - - - a`,
  `<22>1 ${bsd} mx dovecot - - - a`,
  `<22>1 ${iso} mx dovecot - - [x y="] a"`,
])("%j has no prefix", (line) => {
  expect(entryOf(line)).toBeUndefined();
});

test("what a source pins is what the families are called, and one pinned family takes its own lines alone", () => {
  const known = new Set(families.map((family) => family.format));
  expect([...known].sort()).toEqual([...format.options].sort());
  for (const [line] of entries) {
    const taken = format.options.filter((pinned) => entryOf(line, pinned) !== undefined);
    expect(taken, line).toHaveLength(1);
    expect(entryOf(line, taken[0])).toEqual(entryOf(line));
  }
});

test("no line of the samples, the corpus, and the lab fits two families", () => {
  const lab = readdirSync(new URL("../corpus/lab", import.meta.url));
  const lines = [
    ...adapters.flatMap(({ name }) => samplesOf(name).map(({ line }) => line)),
    ...["real", "adversarial"].flatMap((name) => corpusOf(name).map(({ line }) => line)),
    ...lab.flatMap((name) => linesOf(`corpus/lab/${name}`)),
  ];
  const twice = lines.filter(
    (line) => families.filter(({ prefix }) => prefix.test(line)).length > 1,
  );
  expect(twice).toEqual([]);
  expect(lines.length).toBeGreaterThan(2000);
});

test("no bytes make it throw, no line fits two families, and what it gives was in the line", () => {
  const starts = entries.map(([line]) => line);
  const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString());
  const lines = fc.oneof(
    anything,
    fc.tuple(fc.constantFrom(...starts), fc.nat(60), anything).map(([start, at, text]) => {
      return start.slice(0, at) + text + start.slice(at);
    }),
  );
  fc.assert(
    fc.property(lines, (line) => {
      const entry = entryOf(line);
      if (entry === undefined) return;
      expect(line).toContain(entry.message);
      expect(`${line} dovecot zimbra stalwart`).toContain(entry.program);
      expect(families.filter(({ prefix }) => prefix.test(line))).toHaveLength(1);
    }),
    { numRuns: 5000 },
  );
});
