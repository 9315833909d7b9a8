/** Logins of two lines: whose first line counts, for how long, and how many of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../src/adapters/adapter.ts";
import { popa3d } from "../../src/adapters/popa3d.ts";
import { isLogin, Matcher } from "../../src/adapters/matcher.ts";
import type { OpenLine } from "../../src/model.ts";
import { cases, long } from "./cases.ts";
import { judgedAt } from "./judged.ts";

const began = Date.parse("2026-11-23T06:00:00Z");
const matcherOf = () => new Matcher([popa3d], { zone: "UTC" });

function heard(matcher: Matcher, text: string, { at = began, now = judgedAt, pid = 7 } = {}) {
  const bytes = Buffer.from(`${new Date(at).toISOString()} mx popa3d[${String(pid)}]: ${text}`);
  return matcher.match({ bytes, live: false }, now);
}

const first = (client: string) => `Session from ${client}`;
const second = "Authentication passed for ann";
const unpaired = { refused: "unpaired", adapter: "popa3d" };

describe("the second line counts", () => {
  const waits: [text: string, at: number, now: number, isLogin: boolean][] = [
    ["at once", 0, 0, true],
    ["a minute later", 60_000, 60_000, true],
    ["a minute later, read at once", 60_000, 0, true],
    ["later than a minute, by its stamp", 60_001, 0, false],
    ["later than a minute, by the time of reading", 0, 60_001, false],
    ["never before the first one", -1, 0, false],
    ["never if the clock was set back", 0, -1, false],
  ];

  test.each(waits)("%s", (_text, at, now, granted) => {
    const matcher = matcherOf();
    heard(matcher, first("192.0.2.7"));
    const match = heard(matcher, second, { at: began + at, now: judgedAt + now });
    if (granted) expect(match).toMatchObject({ client: "192.0.2.7", at: began + at });
    else expect(match).toEqual(unpaired);
  });

  test("if the first one's stamp does", () => {
    const matcher = matcherOf();
    const bytes = (text: string) => Buffer.from(`<22>1 - mx popa3d 7 - - ${text}`);
    const match = (text: string, live: boolean) =>
      matcher.match({ bytes: bytes(text), live }, judgedAt);
    match(first("192.0.2.7"), false);
    expect(match(second, true)).toEqual(unpaired);
    match(first("192.0.2.7"), true);
    expect(match(second, true)).toMatchObject({ client: "192.0.2.7", at: judgedAt });
  });
});

test("of ten thousand that wait the oldest makes room, and nothing else does", () => {
  const matcher = matcherOf();
  for (let pid = 1; pid <= 10_001; pid++) {
    heard(matcher, first(`192.0.${String(pid >> 8)}.${String(pid & 255)}`), { pid });
  }
  expect(matcher.openLines(judgedAt)).toHaveLength(10_000);
  expect(heard(matcher, second, { pid: 1 })).toEqual(unpaired);
  expect(heard(matcher, second, { pid: 2 })).toMatchObject({ client: "192.0.0.2" });
  expect(heard(matcher, second, { pid: 10_001 })).toMatchObject({ client: "192.0.39.17" });
});

test("those that waited too long are forgotten, and not saved", () => {
  const matcher = matcherOf();
  heard(matcher, first("192.0.2.7"), { pid: 1 });
  const later = judgedAt + 60_001;
  expect(matcher.openLines(later)).toEqual([]);
  heard(matcher, first("192.0.2.8"), { pid: 2, now: later });
  expect(matcher.openLines(later).map(({ client }) => client)).toEqual(["192.0.2.8"]);
});

test("what waits goes on in another matcher, however long that took", () => {
  const matcher = matcherOf();
  heard(matcher, first("192.0.2.7"));
  const open: OpenLine[] = matcher.openLines(judgedAt);
  const next = matcherOf();
  const later = judgedAt + 3_600_000;
  next.restore(open, later);
  expect(next.openLines(later)).toEqual(open);
  expect(heard(next, second, { at: began + 1000, now: later })).toMatchObject({
    client: "192.0.2.7",
  });
  expect(heard(next, second, { at: began + 1000, now: later })).toEqual(unpaired);
});

test("in a journal the process id is what journald says", () => {
  const matcher = matcherOf();
  const heardBy = (pid: number | undefined, text: string) => {
    const prefix = { stamp: undefined, host: "mx", program: "popa3d", pid };
    return matcher.match({ bytes: Buffer.from(text), live: true, prefix }, judgedAt);
  };
  heardBy(7, first("192.0.2.7"));
  heardBy(undefined, first("192.0.2.8"));
  expect(heardBy(undefined, second)).toEqual(unpaired);
  expect(heardBy(8, second)).toEqual(unpaired);
  expect(heardBy(7, second)).toMatchObject({ client: "192.0.2.7", at: judgedAt });
});

test("two adapters of one program hear each its own lines, and one login is one adapter's", () => {
  const other = defineAdapter({ ...popa3d, name: "other" });
  const matcher = new Matcher([popa3d, other], { zone: "UTC" });
  heard(matcher, first("192.0.2.7"));
  expect(heard(matcher, second)).toEqual({ refused: "ambiguous", adapter: "popa3d" });
  expect(matcher.openLines(judgedAt)).toEqual([]);
});

/** What happens on a mail host, to one of a few process ids that come again and again. */
type Step =
  | { readonly what: "connect" | "fail" | "leave" | "vanish" | "login"; readonly pid: number }
  | { readonly what: "say"; readonly pid: number; readonly text: string; readonly tag: string }
  | { readonly what: "wait"; readonly ms: number }
  | { readonly what: "restart" };

const pid = fc.integer({ min: 1, max: 3 });
const kinds = ["connect", "connect", "login", "login", "fail", "leave", "vanish"] as const;
const steps = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ what: fc.constantFrom(...kinds), pid }) },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant("say" as const),
        pid,
        // A stranger's name in the daemon's own failure, and the very words from another program.
        text: fc.constantFrom(
          "Authentication failed for Session from 6.6.6.6",
          "Session from 6.6.6.6",
          "Session from 6.6.6.6 ",
          " Session from 6.6.6.6",
          "Authentication passed for ann",
        ),
        tag: fc.constantFrom("popa3d/x", "popa3dd", "pop3d", "smtpd", "popa3d: popa3d"),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant("wait" as const), ms: fc.nat(70_000) }) },
    { weight: 1, arbitrary: fc.constant({ what: "restart" as const }) },
  ),
  { maxLength: 60 },
);

test(
  "whatever happens between, a login is its own client's, or nobody's; and within a minute it is",
  long,
  () => {
    fc.assert(
      fc.property(steps, (all: readonly Step[]) => {
        let matcher = matcherOf();
        let time = 0;
        let clients = 0;
        const sessions = new Map<number, { client: string; since: number }>();
        const hear = (text: string, of: number, tag = "popa3d") => {
          const bytes = Buffer.from(
            `${new Date(began + time).toISOString()} mx ${tag}[${String(of)}]: ${text}`,
          );
          return matcher.match({ bytes, live: true }, began + time);
        };
        for (const step of all) {
          if (step.what === "wait") time += step.ms;
          else if (step.what === "restart") {
            const open = matcher.openLines(began + time);
            matcher = matcherOf();
            matcher.restore(open, began + time);
          } else if (step.what === "say") {
            expect(isLogin(hear(step.text, step.pid, step.tag))).toBe(false);
          } else if (step.what === "connect") {
            // The process id is free, for whoever had it is gone.
            const client = `192.0.2.${String(++clients)}`;
            sessions.set(step.pid, { client, since: time });
            expect(hear(first(client), step.pid)).toBeUndefined();
          } else if (step.what === "vanish") sessions.delete(step.pid);
          else {
            const session = sessions.get(step.pid);
            if (session === undefined) continue;
            sessions.delete(step.pid);
            if (step.what === "login") {
              const match = hear(second, step.pid);
              if (time - session.since > 60_000) expect(match).toEqual(unpaired);
              else expect(match).toMatchObject({ client: session.client });
            } else {
              hear(
                step.what === "fail" ? "Authentication failed for ann" : "Premature disconnect",
                step.pid,
              );
            }
          }
        }
      }),
      { numRuns: cases(1000) },
    );
  },
);
