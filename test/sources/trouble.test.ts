/** A log that is missing, unreadable or something else is told of once and waited for; nothing ends the following. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SourceError } from "../../src/errors.ts";
import { until } from "../until.ts";
import { ManualClock } from "../manual-clock.ts";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(() => {
  log = new LogDirectory();
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

async function follow(options?: ConstructorParameters<typeof Followed>[1]): Promise<void> {
  followed = new Followed(log.path, options);
  await followed.source.start();
}

describe("at the start", () => {
  test("a missing log is told, and its lines are live when it comes", async () => {
    await follow();
    expect(followed.told).toEqual(["warning log missing"]);
    log.append(5);
    await followed.all(log);
    expect(followed.lines.every(({ live }) => live)).toBe(true);
    expect(followed.told).toEqual(["warning log missing", "info following"]);
  });

  test("a missing log that is rotated as soon as it comes", async () => {
    await follow();
    log.append(5);
    log.rotate();
    log.append(5);
    log.rotate();
    log.append(5);
    await followed.all(log);
  });

  test("missing directories, which come one by one", async () => {
    log.remove();
    log = new LogDirectory("one/two/mail.log");
    await follow();
    expect(followed.told).toEqual(["warning log missing"]);
    fs.mkdirSync(join(log.directory, "one"));
    fs.mkdirSync(join(log.directory, "one", "two"));
    log.append(5);
    await followed.all(log);
    fs.rmSync(log.directory, { recursive: true });
    fs.mkdirSync(dirname(log.path), { recursive: true });
    log.append(5);
    await followed.all(log);
  });

  test("a link that leads nowhere, or to itself", async () => {
    fs.symlinkSync("mail.log", log.path);
    await follow({ clock: hurried });
    expect(followed.told).toEqual(["warning log unreadable"]);
    fs.rmSync(log.path);
    fs.symlinkSync("real", log.path);
    await until("it to be told", () => followed.times("warning log missing") === 1);
    log.append(5, join(log.directory, "real"));
    await followed.all(log);
  });

  test("a missing log, when there is a checkpoint, and the log was rotated", async () => {
    log.append(5);
    await follow();
    await followed.source.stop();
    const checkpoint = followed.source.checkpoint();
    fs.renameSync(log.path, `${log.path}.aside`);
    await follow({ checkpoint });
    expect(followed.source.checkpoint()).toEqual(checkpoint);
    await followed.source.stop();
    expect(followed.source.checkpoint()).toEqual(checkpoint);
    await follow({ checkpoint });
    fs.renameSync(`${log.path}.aside`, `${log.path}.1`);
    log.append(2, `${log.path}.1`);
    log.append(5);
    await followed.all(log, 5);
    expect(followed.times("warning possible gap")).toBe(0);
  });

  test.each<[string, () => void, string]>([
    ["a directory", () => fs.mkdirSync(log.path), "a directory"],
    ["a FIFO", () => execFileSync("mkfifo", [log.path]), "a FIFO"],
    ["a device", () => fs.symlinkSync("/dev/null", log.path), "a device"],
  ])("%s is refused", async (_, make, kind) => {
    make();
    followed = new Followed(log.path);
    await expect(followed.source.start()).rejects.toThrow(
      new SourceError(`${log.path}: is ${kind}, not a log`),
    );
  });

  test("a socket is refused", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(log.path, resolve);
    });
    followed = new Followed(log.path);
    await expect(followed.source.start()).rejects.toThrow("a socket");
    server.close();
  });
});

test("a log that is missing for an hour is told once, and read when it is back", async () => {
  const clock = new ManualClock();
  log.append(5);
  await follow({ clock });
  fs.rmSync(log.path);
  await clock.pass(3_600_000, 5000);
  expect(followed.told.slice(2)).toEqual(["warning log missing"]);
  log.append(5);
  await until("its lines", () => {
    clock.advance(250);
    return followed.lines.length === 10;
  });
  expect(followed.times("info following")).toBe(2);
});

test("whoever takes the lines is slow: the log is rotated and truncated while he has one", async () => {
  log.append(5);
  const happenings = [
    () => log.rotate(),
    () => log.append(5),
    () => log.copyTruncate(),
    () => log.append(5),
  ];
  await follow({
    deliver: () => {
      if (followed.lines.length <= 40) happenings[followed.lines.length % 4]?.();
    },
  });
  await until(
    "all lines",
    () => followed.lines.length > 40 && followed.lines.length >= log.written.length,
  );
  // A copy may be read after what was written behind it.
  expect(followed.texts.toSorted()).toEqual(log.written.toSorted());
});

test("what `deliver` throws is told once and stops nothing", async () => {
  log.append(5);
  await follow({
    deliver: () => {
      throw new Error("a bug");
    },
  });
  log.append(5);
  await followed.all(log);
  expect(followed.told.filter((one) => one.startsWith("error"))).toEqual([
    "error a line could not be dealt with",
  ]);
});

test("a rotated file is closed 10 s after its last growth, and told if a line is unfinished", async () => {
  const clock = new ManualClock();
  const old = log.open();
  log.append(5, old);
  await follow({ clock });
  log.rotate();
  await until("the new file", () => followed.times("info rotated") === 1);
  log.append(1);
  await followed.all(log);
  await clock.pass(9000, 250);
  log.append(1, old);
  await followed.all(log);
  await clock.pass(9000, 250);
  log.append(1, old);
  log.raw("half a line", old);
  await followed.all(log);
  await clock.pass(10_500, 250);
  await until("it to be told", () => followed.times("warning line unterminated") === 1);
  expect(followed.source.checkpoint()).toHaveLength(1);
});

test("at most 8 rotated files are kept open, whatever they do", async () => {
  const clock = new ManualClock();
  log.append(5);
  await follow({ clock });
  for (let i = 0; i < 12; i++) {
    log.rotate();
    log.append(1);
    await followed.all(log);
  }
  expect(followed.source.checkpoint()).toHaveLength(9);
  for (let i = 0; i < 12; i++) await clock.pass(1000);
});

test("the loop is let go again and again while much is read", async () => {
  for (let i = 0; i < 20; i++) log.raw("a line of another program\n".repeat(50_000));
  log.append(5);
  let turns = 0;
  let reads = true;
  const count = (): void => {
    turns++;
    if (reads) setImmediate(count);
  };
  count();
  // A millisecond passes with each look at the clock, of which there is one for each chunk of 128 KiB.
  let now = 0;
  await follow({ clock: { ...systemClock, monotonic: () => now++ } });
  reads = false;
  await followed.all(log);
  expect(turns).toBeGreaterThan(20);
});
