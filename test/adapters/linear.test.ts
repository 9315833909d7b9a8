/** No line costs any pattern more than its length: looked for with the same checker as users' patterns are. */
import { createRequire } from "node:module";
import recheck from "recheck";
import { expect, test } from "vitest";
import type { Adapter } from "../../src/adapters/adapter.ts";
import { families } from "../../src/adapters/entry.ts";
import { adapters } from "../../src/adapters/index.ts";

/** The checker as a program of its own, an optional package, is four times as fast. */
const native = `recheck-linux-${process.arch}`;
const hasNative = (() => {
  try {
    createRequire(import.meta.url).resolve(`${native}/package.json`);
    return true;
  } catch {
    return false;
  }
})();
process.env["RECHECK_BACKEND"] = hasNative ? "native" : "worker";

/**
 * With it, each pattern is looked at to the end, however busy the machine is: the same is found every time. Without it that
 * would take minutes, and what a second does not show is left to cost.test.ts.
 */
const limits = hasNative
  ? { timeout: null, attackTimeout: null, incubationTimeout: null, seedingTimeout: null }
  : { timeout: 1000 };

const patternsOf = ({ opening, logins, correlate }: Adapter) => [
  ...(opening === undefined ? [] : [opening]),
  ...logins,
  ...(correlate === undefined ? [] : [correlate.first, correlate.second, correlate.ends].flat()),
];

const patterns = [
  ...families.map(({ format, prefix }) => ({ name: format, pattern: prefix })),
  ...adapters.flatMap((one) => patternsOf(one).map((pattern) => ({ name: one.name, pattern }))),
];

test.each(patterns)("$name: $pattern", { timeout: 300_000 }, async ({ pattern }) => {
  const found = await recheck.check(pattern.source, pattern.flags, limits);
  const isCutShort = !hasNative && found.status === "unknown" && found.error.kind === "timeout";
  expect(isCutShort ? "safe" : found.status, JSON.stringify(found)).toBe("safe");
});
