/** Where a pattern stops to fit. */
import { expect, test } from "vitest";
import { breakOf } from "../../src/adapters/fit.ts";
import type { Break } from "../../src/adapters/fit.ts";

const login = /^LOGIN, user=(?<user>[^,]*), ip=\[(?<client>[^\]]*)\]$/;

test.each<[string, Break | undefined]>([
  ["LOGIN, user=ann, ip=[192.0.2.7]", undefined],
  ["LOGIN, user=ann, ip=192.0.2.7", { at: 20, expected: "\\[(?<client>[^\\]]*)\\]$" }],
  ["LOGIN, user=ann, ip=[192.0.2.7], port=[1]", { at: 31, expected: "$" }],
  [
    "LOGOUT, user=ann",
    { at: 3, expected: "IN, user=(?<user>[^,]*), ip=\\[(?<client>[^\\]]*)\\]$" },
  ],
  ["", { at: 0, expected: login.source.slice(1) }],
])("%s", (message, expected) => {
  expect(breakOf(login, message)).toEqual(expected);
});
