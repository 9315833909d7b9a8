/** What is told of a log is true: how far it was read, what is behind, what was dropped, and where lines may be lost. */
import fs from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress } from "../../src/model.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;
let clock: ManualClock;

beforeEach(() => {
  log = new LogDirectory();
  clock = new ManualClock();
  log.append(5);
  followed = new Followed(log.path, { clock });
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

/** Milliseconds that these tests let pass since the latest line was read. */
const longestAge = 15_000;

/** What is told, with what is usual left out. */
function told(): Partial<Progress> {
  const [{ name, dropped, last_line: last, ...rest }] = followed.source.progress() as [Progress];
  expect(name).toBe(log.path);
  if (rest.lines === 0) expect(last).toBeUndefined();
  else expect(clock.now() - (last ?? 0)).toBeLessThanOrEqual(longestAge);
  const counts = Object.entries({ ...rest, ...dropped });
  return Object.fromEntries(counts.filter(([, value]) => value !== 0));
}

/** Before a log is open, nobody knows how much there is to read. */
const nothingRead = { position: "0", lag_bytes: undefined };
const end = () => String(fs.statSync(log.path).size);

/** What happens to a log of 5 lines that is followed, and what is told then besides the position. */
const happenings: Readonly<Record<string, [happens: () => void, told: object]>> = {
  nothing: [() => undefined, { lines: 5 }],
  "lines are written, also such as nobody wants": [
    () => {
      log.append(5);
      log.raw("nothing to see\n");
    },
    { lines: 11 },
  ],
  "it is rotated": [
    () => {
      log.append(5);
      log.rotate();
      log.append(5);
    },
    { lines: 15, rotations: 1 },
  ],
  "it is rotated three times at once": [
    () => {
      for (let i = 0; i < 3; i++) {
        log.append(5);
        log.rotate();
      }
      log.append(5);
    },
    { lines: 25, rotations: 3 },
  ],
  "it is copied and truncated twice": [
    () => {
      for (let i = 0; i < 2; i++) {
        log.append(5);
        log.copyTruncate();
      }
      log.append(5);
    },
    { lines: 20, rotations: 2 },
  ],
  "it is truncated without a copy": [
    () => {
      fs.truncateSync(log.path);
      log.append(5);
    },
    { lines: 10, rotations: 1, gaps: 1 },
  ],
  "lines are too long": [
    () => {
      for (let i = 0; i < 2; i++) log.raw(`${"x".repeat(70_000)}\n`);
      log.append(1);
    },
    { lines: 8, too_long: 2 },
  ],
};

test.each(Object.entries(happenings))("%s", async (_, [happens, expected]) => {
  expect(told()).toEqual(nothingRead);
  await followed.source.start();
  expect(told()).toEqual({ lines: 5, position: end() });
  happens();
  await until("all to be read", () => {
    clock.advance(250);
    return followed.lines.length === log.written.length;
  });
  expect(told()).toEqual({ position: end(), ...expected });
});

test("half a line at the end is no line, and dropped when its file is given up", async () => {
  const old = log.open();
  log.raw("half", old);
  await followed.source.start();
  expect(told()).toEqual({ lines: 5, position: String(fs.statSync(log.path).size - 4) });
  log.rotate();
  log.append(1);
  await followed.all(log);
  await clock.pass(11_000, 250);
  expect(told()).toEqual({ lines: 6, rotations: 1, position: end(), unterminated: 1 });
});

test("half a line that was truncated, whose other half may come first, is dropped", async () => {
  log.raw("half");
  await followed.source.start();
  log.copyTruncate();
  log.raw(" and half #\n");
  log.append(1);
  await followed.all(log);
  expect(told()).toEqual({ lines: 7, rotations: 1, position: end(), unterminated: 1 });
});

test("what is behind, while much is read", async () => {
  log.raw("not wanted\n".repeat(3_000_000));
  const { size } = fs.statSync(log.path);
  let seen = 0;
  const starting = followed.source.start();
  const looking = until("the end", () => {
    const [{ lag_bytes: lag = 0, position }] = followed.source.progress() as [Progress];
    if (position !== "0" && lag > 0) {
      seen++;
      expect(lag + Number(position)).toBeLessThanOrEqual(size);
      expect(lag + Number(position)).toBeGreaterThan(size - 70_000);
    }
    if (Number(position) === size) return true;
    clock.advance(1000);
    return false;
  });
  await Promise.all([starting, looking]);
  expect(seen).toBeGreaterThan(1);
  expect(told()).toEqual({ lines: 3_000_005, position: String(size) });
});
