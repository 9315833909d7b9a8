/** Each pattern's work grows with the length of a line, and not with its square. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Adapter } from "../../src/adapters/adapter.ts";
import { adapters } from "../../src/adapters/index.ts";
import { entryOf, families } from "../../src/adapters/entry.ts";
import { cases, long } from "./cases.ts";
import { samplesOf } from "./judged.ts";

const size = 65_536;

/**
 * Milliseconds of CPU time. A linear pattern takes less than one for such a line, a quadratic one seconds: this is no measure of
 * speed, and no load of the machine makes one look like the other. (`npm run bench` measures.)
 */
const bound = 1000;

/** What backtracking could stumble over, each repeated up to the size, behind a genuine start. */
const starts = [
  "",
  "imap-login: Login: ",
  "imap-login: Login: user=<a>, method=PLAIN, ",
  "imap-login: Login: user=<a>, rip=192.0.2.7, ",
  "LOGIN, user=",
  "LOGIN, user=a, ip=[192.0.2.7]",
  "Nov 23 06:12:27 ",
  "Nov 23 06:12:27 mx ",
  "<22>1 2026-11-23T06:12:27Z mx dovecot - - ",
];
const fills = [
  "a",
  " ",
  ",",
  "<",
  ">",
  "[",
  "]",
  ":",
  '"',
  "\\",
  "=",
  ", ",
  "<>",
  "<>, ",
  "a, ",
  ",a",
  "user=<",
  "user=<a>, ",
  "rip=",
  "rip=1, ",
  "user=<, rip=, ",
  ", ip=[",
  ", ip=[1]",
  "ip=[]",
  ", port=[1]",
  '[a="',
  '[a="b"]',
  '\\"',
  "a: ",
  "a: Info: ",
];
const ends = ["", "\u2028", "<", "]"];

function patternsOf({ opening, logins, correlate }: Adapter): RegExp[] {
  const { first = [], second = [], ends = [] } = correlate ?? {};
  return [...(opening === undefined ? [] : [opening]), ...logins, ...first, ...second, ...ends];
}

const patterns = [
  ...families.map(({ format, prefix }) => ({ name: format, pattern: prefix })),
  ...adapters.flatMap((adapter) =>
    patternsOf(adapter).map((pattern) => ({ name: adapter.name, pattern })),
  ),
];

function expectQuick(work: (line: string) => unknown, line: string, what: unknown): void {
  const before = process.cpuUsage();
  work(line);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000, JSON.stringify(what)).toBeLessThan(bound);
}

test.each(patterns)("$name: $pattern", long, ({ pattern }) => {
  for (const start of starts) {
    for (const fill of fills) {
      for (const end of ends) {
        const line = start + fill.repeat(size / fill.length) + end;
        expectQuick((text) => pattern.test(text), line, [start, fill, end]);
      }
    }
  }
});

test.each(adapters)(
  "$name: a part of a sample that comes again and again",
  long,
  (adapter: Adapter) => {
    const messages = samplesOf(adapter.name).flatMap(({ line }) => entryOf(line)?.message ?? []);
    const { doubt } = adapter;
    fc.assert(
      fc.property(
        fc.constantFrom(...messages),
        fc.nat(120),
        fc.integer({ min: 1, max: 60 }),
        (message, from, length) => {
          const part = message.slice(from, from + length);
          fc.pre(part !== "");
          const many = part.repeat((4 * size) / part.length);
          const line = message.slice(0, from) + many + message.slice(from);
          for (const pattern of patternsOf(adapter)) {
            expectQuick((text) => pattern.test(text), line, [pattern.source, part]);
          }
          if (doubt !== undefined) expectQuick(doubt, line, ["doubt", part]);
        },
      ),
      { numRuns: cases(100) },
    );
  },
);
