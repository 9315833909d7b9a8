/** What of a long log need not be read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { startOfRecent } from "../../src/sources/recent.ts";
import { ManualClock } from "../manual-clock.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";
import { holding } from "./wanted.ts";

const hour = 3_600_000;

/** A line begins with its time, in ms; any other has none. */
function timeOf(line: Buffer): number | undefined {
  const text = line.toString("latin1", 0, 16);
  return /^\d+ /.test(text) ? Number.parseInt(text, 10) : undefined;
}

/** A log with a line every so many ms, and where its first line is that is not older than `since`. */
function logOf(times: readonly (number | undefined)[], padding: number): Buffer {
  const rest = "x".repeat(padding);
  return Buffer.from(
    times.map((time) => `${time === undefined ? "-" : String(time)} ${rest}\n`).join(""),
  );
}

interface Search {
  readonly start: number;
  readonly looks: number;
}

async function search(log: Buffer, since: number, offset = 0): Promise<Search> {
  let looks = 0;
  const peek = (at: number, length: number) => log.subarray(at, at + length);
  const breathe = () => Promise.resolve(void looks++);
  const file = { offset, length: log.length - offset, peek };
  return { start: await startOfRecent(file, { timeOf, since, breathe }), looks };
}

function linesOf(count: number, step: number): number[] {
  return Array.from({ length: count }, (_, index) => 1_000_000_000 + index * step);
}

test("of a long log the last part is read, after few looks", async () => {
  const times = linesOf(100_000, 26_000);
  const log = logOf(times, 80);
  const since = times[90_000] ?? 0;
  const { start, looks } = await search(log, since);
  const skipped = log.subarray(0, start).toString().split("\n").length - 1;
  expect(log[start - 1]).toBe(10);
  // The slack is 26 hours, which is 3,600 of these lines; then less than is worth a search.
  expect(skipped).toBeLessThanOrEqual(90_000 - 3600);
  expect(start).toBeGreaterThan((90_000 - 3600) * 92 - 1_200_000);
  expect(looks).toBeLessThan(6);
});

test("no line that can matter is skipped, wherever the search begins and whatever stands between", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        step: fc.integer({ min: 1, max: 60_000 }),
        jitter: fc.integer({ min: 0, max: 26 * hour }),
        padding: fc.integer({ min: 0, max: 300 }),
        unstamped: fc.integer({ min: 2, max: 9 }),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        from: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      async ({ step, jitter, padding, unstamped, at, from }) => {
        const times = linesOf(60_000, step).map((time, index) =>
          index % unstamped === 0 ? undefined : time + ((index * 7919) % (jitter + 1)),
        );
        const log = logOf(times, padding);
        const since = 1_000_000_000 + Math.floor(at * 60_000 * step);
        const offset = log.indexOf(10, Math.floor(from * (log.length - 1))) + 1;
        const { start } = await search(log, since, offset);
        expect(start).toBeGreaterThanOrEqual(offset);
        expect(start === 0 || log[start - 1] === 10).toBe(true);
        const skipped = log.subarray(offset, start).toString().split("\n");
        expect(skipped.filter((line) => (timeOf(Buffer.from(line)) ?? 0) >= since)).toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});

test.each<[string, Buffer]>([
  ["a short log", logOf(linesOf(5000, 1000), 80)],
  [
    "lines without stamps",
    logOf(
      linesOf(50_000, 1000).map(() => undefined),
      80,
    ),
  ],
  [
    "a line that is longer than a look",
    Buffer.concat([logOf([1], 0), Buffer.alloc(3_000_000, "x")]),
  ],
])("all is read of %s", async (_, log) => {
  expect((await search(log, 9e15)).start).toBe(0);
});

test("a host of several whose clock is far behind does not hide the others", async () => {
  const times = linesOf(100_000, 26_000).map((time, index) =>
    index % 3 === 0 ? time : time - 99 * hour,
  );
  const log = logOf(times, 80);
  const since = times[90_000] ?? 0;
  const { start } = await search(log, since);
  const first = log.indexOf(`${String(since)} `);
  expect(start).toBeLessThanOrEqual(first);
});

const burst = linesOf(30_000, 10);
const fewStamps = logOf([1_000_000_000 - 99 * hour], 0);

test.each<[string, Buffer]>([
  [
    "a program logs in a zone of its own",
    logOf(
      burst.map((time) => time - 14 * hour),
      80,
    ),
  ],
  [
    "another host sends what it could not",
    logOf(
      burst.map((time) => time - 24 * hour),
      80,
    ),
  ],
  [
    "hardly a line has a stamp, and is old",
    Buffer.concat(linesOf(60, 1).flatMap(() => [fewStamps, logOf([undefined], 64_000), fewStamps])),
  ],
])("many lines in a row do not hide those before them: %s", async (_, lines) => {
  const recent = linesOf(1000, 1000);
  const log = Buffer.concat([logOf(recent, 80), lines]);
  expect((await search(log, recent[0] ?? 0)).start).toBe(0);
});

test("the follower tells what it skipped, and goes on from there as ever", async () => {
  const clock = new ManualClock(1_200_000_000);
  const log = new LogDirectory();
  try {
    const times = linesOf(40_000, 26_000);
    log.raw(logOf(times, 80));
    const since = times[39_000] ?? 0;
    const wants = holding(" x");
    const first = new Followed(log.path, { clock, since, timeOf, wants });
    await first.source.start();
    await first.source.stop();
    expect(first.times("info older lines skipped")).toBe(1);
    expect(first.lines.length).toBeGreaterThan(1000);
    expect(first.lines.length).toBeLessThan(20_000);
    expect(first.texts.at(-1)).toMatch(/^2039974000 /);
    // The mark that was left is like any other.
    log.raw(logOf([2_040_000_000], 80));
    log.shift();
    log.raw(logOf([2_040_001_000], 80));
    const checkpoint = first.source.checkpoint();
    const second = new Followed(log.path, { clock, since, timeOf, wants, checkpoint });
    await second.source.start();
    await second.source.stop();
    expect(second.texts.map((text) => text.split(" ")[0])).toEqual(["2040000000", "2040001000"]);
    expect(second.told).not.toContain("warning possible gap");
  } finally {
    log.remove();
  }
});
