/** What the sieve throws away is no adapter's business, however the line begins; and it throws most of a log away. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tagsOf, type Adapter } from "../../src/adapters/adapter.ts";
import { courier } from "../../src/adapters/courier.ts";
import { entryOf } from "../../src/adapters/entry.ts";
import { adapters } from "../../src/adapters/index.ts";
import { Sieve } from "../../src/adapters/sieve.ts";
import { cases, long } from "./cases.ts";
import { bytesOf, corpusOf, linesOf, samplesOf } from "./judged.ts";
import { words } from "./words.ts";

const all: readonly Adapter[] = adapters;
const sieve = new Sieve(adapters);

/** Asks about the line where it stands among others. */
function wants(line: string | Buffer, by = sieve): boolean {
  const bytes = typeof line === "string" ? bytesOf(line) : line;
  const before = Buffer.from("Nov 23 06:12:27 mx1 dovecot: a\n");
  const behind = Buffer.from("\nimap-login: Login: LOGIN, user= Session from");
  const whole = Buffer.concat([before, bytes, behind]);
  const isWanted = by.wants(whole, before.length, before.length + bytes.length);
  expect(by.wants(bytes, 0, bytes.length), bytes.toString()).toBe(isWanted);
  return isWanted;
}

/** The same by way of the entry. */
function matters(line: string): boolean {
  const entry = entryOf(bytesOf(line).toString());
  return all.some(
    (adapter) =>
      entry !== undefined &&
      tagsOf(adapter).some(([tag]) => tag === entry.program) &&
      adapter.markers.some((marker) => entry.message.includes(marker)),
  );
}

const samples = adapters.flatMap(({ name }) => samplesOf(name).map(({ line }) => line));
const corpus = ["real", "adversarial"].flatMap((name) => corpusOf(name).map(({ line }) => line));
const lab = readdirSync(new URL("../corpus/lab", import.meta.url)).flatMap((name) =>
  linesOf(`corpus/lab/${name}`),
);

describe("lets through what matters", () => {
  test("of all samples, the corpus, and the lab's logs", () => {
    for (const line of [...samples, ...corpus, ...lab]) {
      if (matters(line)) expect(wants(line), line).toBe(true);
    }
  });

  const message = "LOGIN, user=ann, ip=[192.0.2.7]";
  const stamps = [
    "Nov 23 06:12:27",
    "Nov  3 06:12:27",
    "Nov 03 06:12:27",
    "Nov 3 06:12:27",
    "2026-11-23T06:12:27Z",
    "2026-11-23T06:12:27.123456+01:00",
    "2026-11-23 06:12:27",
    "2026-11-23 06:12:27,123",
    "2026-11-23T06:12:27+0100",
  ];
  const composed = ["", "a | ", "mail_dovecot_1  | ", "web | ", "web  | ", "1.2 | ", "Nov | "];
  const hosts = ["mx", "m", "(none)", "2001:db8::1", "INFO", "MX1.example.org", "<mail.info> mx"];
  const tags = ["imapd", "imapd[1]", "pop3d-ssl[77]", "courierpop3login"];

  test("behind every prefix", () => {
    for (const name of composed) {
      for (const stamp of stamps) {
        for (const priority of ["", "<2>", "<22>", "<191>"]) {
          for (const host of hosts) {
            for (const tag of tags) {
              const line = `${name}${priority}${stamp} ${host} ${tag}: ${message}`;
              expect([line, matters(line), wants(line)]).toEqual([line, true, true]);
            }
          }
        }
      }
      for (const stamp of ["-", ...stamps.filter((one) => one.startsWith("2026-11-23T"))]) {
        const line = `${name}<22>1 ${stamp} mx imapd 1 - [x y="z"] ${message}`;
        expect([line, matters(line), wants(line)]).toEqual([line, true, true]);
      }
    }
  });

  test("whatever is written into it", long, () => {
    const pieces = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom(...words, ...stamps, ...tags, ...hosts, ...composed, "<22>1 ", "<22>"),
    );
    const lines = fc
      .tuple(
        fc.constantFrom(...samples),
        fc.nat(60),
        fc.nat(12),
        fc.array(pieces, { maxLength: 3 }),
      )
      .map(([line, at, length, texts]) => {
        const text = texts.join("").replaceAll("\n", "?");
        return line.slice(0, at) + text + line.slice(at + length);
      });
    fc.assert(
      fc.property(lines, (line) => {
        if (matters(line)) expect(wants(line)).toBe(true);
      }),
      { numRuns: cases(5000) },
    );
  });
});

describe("throws away", () => {
  test.each([
    "",
    " ",
    "x",
    "Nov",
    "Nov 23 06:12:27",
    "Nov 23 06:12:27 mx",
    "Nov 23 06:12:27 mx imapd",
    "<",
    "<22>",
    "<22>1",
    "<22>1 - mx imapd",
    "a |",
    "a | ",
    "Nov 23 06:12:27 mx imapd: Connection, ip=[192.0.2.7]",
    "Nov 23 06:12:27 mx imapd2: LOGIN, user=",
    "Nov 23 06:12:27 mx imap-d: LOGIN, user=",
    "Nov 23 06:12:27 mx ima: LOGIN, user=",
    "Nov 23 06:12:27 mx imapd\xe9: LOGIN, user=",
    "Nov 23 06:12:27 mx imap\xe9: LOGIN, user=",
    "Nov 23 06:12:27 mx postfix/smtpd[9]: connect from a[192.0.2.7] LOGIN, user=",
    "<22>1 2026-11-23T06:12:27Z mx postfix - - - LOGIN, user=",
    "Nov 23 06:12:27 [smtpd] LOGIN, user=",
    "LOGIN, user=ann",
  ])("%j", (line) => {
    expect(wants(line)).toBe(false);
  });

  test("what belongs to adapters that do not count", () => {
    const one = new Sieve([courier]);
    const wanted = [...samples, ...lab].filter((line) => wants(line, one));
    expect(wanted.length).toBeGreaterThan(50);
    for (const line of wanted) {
      expect(line).toMatch(/(?:imap|pop3|courier)[a-z0-9-]*(?:\[\d+\])?(?::| - ).*LOGIN, user=/);
    }
  });
});
