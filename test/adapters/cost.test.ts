/** Each pattern's work grows with the length of a line, and not with its square. */
import { expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { families } from "../../src/adapters/entry.ts";

const size = 262_144;

/**
 * Milliseconds. A linear pattern takes a few for such a line, a quadratic one many seconds: this is no measure of speed, and no
 * load of the machine makes one look like the other.
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

const patterns = [
  ...families.map(({ format, prefix }) => ({ name: format, pattern: prefix })),
  ...adapters.flatMap(({ name, opening, logins }) =>
    [...(opening === undefined ? [] : [opening]), ...logins].map((pattern) => ({ name, pattern })),
  ),
];

test.each(patterns)("$name: $pattern", ({ pattern }) => {
  for (const start of starts) {
    for (const fill of fills) {
      for (const end of ends) {
        const line = start + fill.repeat(size / fill.length) + end;
        const began = performance.now();
        pattern.test(line);
        expect(performance.now() - began, JSON.stringify([start, fill, end])).toBeLessThan(bound);
      }
    }
  }
});
