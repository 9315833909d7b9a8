/** Every adapter against its samples, and every sample against every adapter. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { entryOf } from "../../src/adapters/entry.ts";
import { isLogin, reasonTexts } from "../../src/adapters/matcher.ts";
import { judge, samplesOf, verdictOf } from "./judged.ts";

const names = adapters.map(({ name }) => name);

describe.each(names)("%s", (name) => {
  const samples = samplesOf(name);

  test.each(samples)("line $number: $verdict", ({ verdict, line }) => {
    const match = judge(line);
    expect(verdictOf(match)).toBe(verdict);
    if (match !== undefined) expect(match.adapter).toBe(name);
  });

  test("each login has its forged twin under it", () => {
    const alone = samples.filter(
      ({ verdict }, index) =>
        verdict.startsWith("=") && samples[index + 1]?.verdict.startsWith("-") !== true,
    );
    expect(alone).toEqual([]);
  });

  test("at most one pattern of all adapters takes a line, and none takes what is no login", () => {
    for (const { verdict, line } of samples) {
      const message = entryOf(line)?.message ?? "";
      const takers = adapters.flatMap(({ logins }) => logins.filter((one) => one.test(message)));
      expect(takers.length, line).toBeLessThanOrEqual(1);
      if (verdict === "-" && takers.length > 0) expect(judge(line), line).toBeUndefined();
    }
  });
});

test("no pattern and no marker lacks a sample that it alone takes", () => {
  const logins = names.flatMap((name) =>
    samplesOf(name).filter(({ line }) => isLogin(judge(line))),
  );
  const messages = logins.map(({ line }) => entryOf(line)?.message ?? "");
  for (const { name, logins: patterns, markers } of adapters) {
    const unused = patterns.filter((pattern) => !messages.some((message) => pattern.test(message)));
    expect(unused, name).toEqual([]);
    const unseen = markers.filter((marker) => !logins.some(({ line }) => line.includes(marker)));
    expect(unseen, name).toEqual([]);
  }
});

test("every adapter is listed and has samples, and every sample file has its adapter", () => {
  const own = ["adapter", "entry", "index", "matcher", "refusal", "time"];
  const files = readdirSync(new URL("../../src/adapters", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => !own.includes(file));
  const samples = readdirSync(new URL("../samples", import.meta.url));
  expect(files.sort()).toEqual([...names].sort());
  expect(samples.sort()).toEqual(names.map((name) => `${name}.log`).sort());
});

test("every reason stands in a sample, except those of the line's bytes", () => {
  const seen = names.flatMap((name) => samplesOf(name).map(({ verdict }) => verdict.slice(2)));
  const missing = Object.keys(reasonTexts).filter((reason) => !seen.includes(reason));
  expect(missing.sort()).toEqual(["control", "long"]);
});
