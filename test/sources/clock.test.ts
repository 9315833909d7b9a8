/** The wall clock is set while a log is followed: nothing depends on it. */
import fs from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

const day = 86_400_000;

let log: LogDirectory;
let followed: Followed;
/** How far the clock is off: ms. */
let off: number;

beforeEach(() => {
  log = new LogDirectory();
  log.append(5);
  followed = new Followed(log.path, {
    clock: {
      now: () => systemClock.now() + off,
      monotonic: () => systemClock.monotonic(),
      after: (ms, callback) => systemClock.after(ms, callback),
    },
  });
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

/** The file system stamps what is written by the same clock. */
function append(): void {
  log.append(5);
  const now = (Date.now() + off) / 1000;
  fs.utimesSync(log.path, now, now);
}

test.each([
  ["a day ahead, then set right", day, 0],
  ["a day behind, then set right", -day, 0],
  ["right, then a day ahead", 0, day],
  ["right, then a day behind", 0, -day],
])("%s", async (_, before, after) => {
  off = before;
  await followed.source.start();
  const old = log.open();
  log.rotate();
  append();
  await followed.all(log);
  off = after;
  log.append(5, old);
  await followed.all(log);
  for (let i = 0; i < 3; i++) {
    append();
    log.rotate();
  }
  append();
  await followed.all(log);
  append();
  log.copyTruncate();
  append();
  await followed.all(log);
  expect(followed.times("warning possible gap")).toBe(0);
});
