/** Each pattern's work grows with the length of a line, and not with its square. */
import { expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { families } from "../../src/adapters/entry.ts";

const size = 65_536;

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

const patterns = [
  ...families.map(({ name, prefix }) => ({ name, pattern: prefix })),
  ...adapters.flatMap(({ name, opening, logins }) =>
    [...(opening === undefined ? [] : [opening]), ...logins].map((pattern) => ({ name, pattern })),
  ),
];

/** Milliseconds, the least of some runs: what else the machine does only adds to it. */
function costOf(pattern: RegExp, line: string): number {
  let least = Infinity;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    pattern.test(line);
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

test.each(patterns)("$name: $pattern", ({ pattern }) => {
  for (const start of starts) {
    for (const fill of fills) {
      for (const end of ends) {
        const lineOf = (length: number) => start + fill.repeat(length / fill.length) + end;
        const whole = costOf(pattern, lineOf(size));
        // A pattern that is quadratic costs 16 times as much for four times the line, and a thousandfold of this in all.
        if (whole < 2) continue;
        expect(
          whole / costOf(pattern, lineOf(size / 4)),
          JSON.stringify([start, fill, end]),
        ).toBeLessThan(10);
      }
    }
  }
});
