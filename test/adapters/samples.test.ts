/** Every adapter against its samples, and every sample against every adapter. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Adapter } from "../../src/adapters/adapter.ts";
import { adapters } from "../../src/adapters/index.ts";
import { entryOf, families } from "../../src/adapters/entry.ts";
import { reasonTexts } from "../../src/adapters/matcher.ts";
import { judgeAll, samplesOf, verdictOf } from "./judged.ts";

const names = adapters.map(({ name }) => name);
const all: readonly Adapter[] = adapters;

/** What makes a login: whole lines, and second ones. */
const grantingOf = ({ logins, correlate }: Adapter) => [...logins, ...(correlate?.second ?? [])];
const everyPatternOf = (adapter: Adapter) => [
  ...grantingOf(adapter),
  ...(adapter.correlate?.first ?? []),
  ...(adapter.correlate?.ends ?? []),
];
const messageOf = (line: string) => entryOf(line)?.message ?? "";

describe.each(names)("%s", (name) => {
  const samples = samplesOf(name);
  const matches = judgeAll(samples.map(({ line }) => line));

  test.each(samples.map((sample, index) => ({ ...sample, match: matches[index] })))(
    "line $number: $verdict",
    ({ verdict, match }) => {
      expect(verdictOf(match)).toBe(verdict);
      if (match !== undefined) expect(match.adapter).toBe(name);
    },
  );

  test("each login has its forged twin under it", () => {
    const alone = samples.filter(
      ({ verdict }, index) =>
        verdict.startsWith("=") && samples[index + 1]?.verdict.startsWith("-") !== true,
    );
    expect(alone).toEqual([]);
  });

  test("at most one pattern of all adapters takes a line, and none takes what is no login", () => {
    samples.forEach(({ verdict, line }, index) => {
      const takers = all.flatMap((one) =>
        everyPatternOf(one).filter((by) => by.test(messageOf(line))),
      );
      expect(takers.length, line).toBeLessThanOrEqual(1);
      const grants = all.some((one) => grantingOf(one).some((by) => by.test(messageOf(line))));
      if (verdict === "-" && grants) expect(matches[index], line).toBeUndefined();
    });
  });

  test("each line has one prefix at most", () => {
    for (const { line } of samples) {
      expect(families.filter(({ prefix }) => prefix.test(line)).length, line).toBeLessThanOrEqual(
        1,
      );
    }
  });
});

test.each(all)("no pattern and no marker of $name lacks a sample that it takes", (adapter) => {
  const lines = samplesOf(adapter.name).map(({ line }) => line);
  const taken = (pattern: RegExp) => lines.filter((line) => pattern.test(messageOf(line)));
  const patterns = everyPatternOf(adapter);
  expect(patterns.filter((pattern) => taken(pattern).length === 0)).toEqual([]);
  const seen = patterns.flatMap(taken);
  expect(adapter.markers.filter((marker) => !seen.some((line) => line.includes(marker)))).toEqual(
    [],
  );
  for (const line of seen) {
    expect(
      adapter.markers.some((marker) => messageOf(line).includes(marker)),
      line,
    ).toBe(true);
  }
  const granting = grantingOf(adapter).filter((pattern) =>
    samplesOf(adapter.name).some(
      ({ verdict, line }) => verdict.startsWith("=") && pattern.test(messageOf(line)),
    ),
  );
  expect(granting).toEqual(grantingOf(adapter));
});

test("every program of every adapter is no other's, or shared on purpose", () => {
  const owners = new Map<string, string[]>();
  for (const { name, programs } of all) {
    const tags = [programs]
      .flat()
      .flatMap((one) => (typeof one === "string" ? one : [one.imap, one.pop3].flat()));
    for (const tag of tags) owners.set(tag, [...(owners.get(tag) ?? []), name]);
  }
  const shared = Object.fromEntries([...owners].filter(([, list]) => list.length > 1));
  expect(shared).toEqual({
    dovecot: ["dovecot", "dovecot-proxy"],
    imapd: ["courier", "cyrus", "uw"],
    pop3d: ["courier", "cyrus", "mailutils"],
    vpopmail: ["vpopmail", "vpopmail-old"],
    "vm-pop3d": ["vm-pop3d", "vm-pop3d-old"],
  });
});

test("every adapter is listed and has samples, and every sample file has its adapter", () => {
  const own = [
    "adapter",
    "correlate",
    "drift",
    "elements",
    "entry",
    "fit",
    "index",
    "matcher",
    "near-miss",
    "refusal",
    "sieve",
    "time",
  ];
  const forUsers = ["forgery", "own", "parts", "trial"];
  const files = readdirSync(new URL("../../src/adapters", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => !own.includes(file) && !forUsers.includes(file));
  const samples = readdirSync(new URL("../samples", import.meta.url));
  expect(files.sort()).toEqual([...names].sort());
  expect(samples.sort()).toEqual(names.map((name) => `${name}.log`).sort());
});

test("every reason stands in a sample, except those of the line's bytes", () => {
  const seen = names.flatMap((name) => samplesOf(name).map(({ verdict }) => verdict.slice(2)));
  const missing = Object.keys(reasonTexts).filter((reason) => !seen.includes(reason));
  expect(missing.sort()).toEqual(["control", "long"]);
});
