/** The name of a log comes to mean something else. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(async () => {
  log = new LogDirectory();
  log.append(3);
  followed = new Followed(log.path, { clock: hurried });
  await followed.source.start();
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

/** Gives the loop a few turns, so that what was written is read before something else happens. */
async function seen(): Promise<void> {
  await until("what was written", () => followed.lines.length >= log.written.length);
}

describe("the name", () => {
  test("unlinked while open, created late", async () => {
    const writer = log.open();
    fs.unlinkSync(log.path);
    log.append(20, writer);
    await seen();
    log.append(20, writer);
    log.append(20);
    await followed.all(log);
  });

  test("unlinked and created at once, again and again", async () => {
    for (let i = 0; i < 10; i++) {
      log.append(5);
      fs.unlinkSync(log.path);
      log.append(5);
      if (i % 2 === 0) await seen();
      else await until("the new file", () => followed.times("info rotated") > i);
    }
    await followed.all(log);
  });

  test.each<[string, () => void, string]>([
    ["a directory", () => fs.mkdirSync(log.path), "log is not a file"],
    ["a FIFO", () => execFileSync("mkfifo", [log.path]), "log is not a file"],
    ["a socket", () => createServer().listen(log.path).unref(), "log is not a file"],
    ["a device", () => fs.symlinkSync("/dev/zero", log.path), "log is not a file"],
    ["a link to itself", () => fs.symlinkSync("mail.log", log.path), "log unreadable"],
    ["a link that leads nowhere", () => fs.symlinkSync("none", log.path), "log missing"],
  ])("%s in its place is told, and holds nothing up", async (_, make, trouble) => {
    const old = log.open();
    log.shift();
    make();
    log.append(5, old);
    await until("it to be told", () => followed.times(`warning ${trouble}`) === 1);
    log.append(5, old);
    await followed.all(log);
    fs.rmSync(log.path, { recursive: true });
    log.append(5, old);
    log.append(5);
    await followed.all(log);
    await until("it to be over", () => followed.times("info following") === 2);
    expect(followed.told.filter((one) => one.startsWith("warning"))).toEqual([
      `warning ${trouble}`,
    ]);
  });

  test("a new file gets the inode number of one that was closed", async ({ skip }) => {
    await followed.source.stop();
    const clock = new ManualClock();
    followed = new Followed(log.path, { clock });
    await followed.source.start();
    for (let round = 0; round < 3; round++) {
      log.append(5);
      const { ino } = fs.statSync(log.path);
      log.rotate();
      log.append(5);
      await until("the lines", () => followed.texts.at(-1) === log.written.at(-1));
      await clock.pass(11_000, 250);
      expect(log.descriptors()).toBe(1);
      fs.rmSync(`${log.path}.1`);
      log.shift();
      skip(!log.create(ino), "this file system does not give an inode number out again");
      log.append(20 * round);
    }
    await followed.all(log);
    expect(followed.times("warning possible gap")).toBe(0);
  });

  test("its directory is replaced, and rotations there are noticed", async () => {
    const writer = log.open();
    const aside = `${log.directory}-aside`;
    fs.renameSync(log.directory, aside);
    log.append(5, writer);
    await seen();
    fs.mkdirSync(log.directory);
    log.append(5);
    await seen();
    log.rotate();
    log.append(5);
    await followed.all(log);
    fs.rmSync(aside, { recursive: true });
  });

  test("it is moved away and back", async () => {
    fs.renameSync(log.path, `${log.path}.aside`);
    await until("it to be told", () => followed.times("warning log missing") === 1);
    fs.renameSync(`${log.path}.aside`, log.path);
    log.append(5);
    await followed.all(log);
    expect(followed.told.slice(2)).toEqual(["warning log missing", "info following"]);
  });
});

describe("a link", () => {
  const target = (n: number) => join(log.directory, `real.${String(n)}`);

  beforeEach(async () => {
    await followed.source.stop();
    log.written.length = 0;
    fs.rmSync(log.path);
    log.append(3, target(0));
    fs.symlinkSync("real.0", log.path);
    followed = new Followed(log.path);
    await followed.source.start();
  });

  function retarget(n: number): void {
    fs.symlinkSync(`real.${String(n)}`, `${log.path}.tmp`);
    fs.renameSync(`${log.path}.tmp`, log.path);
  }

  test("gets another target, and one that it had before", async () => {
    for (const n of [1, 2, 1]) {
      const old = log.open();
      log.append(5, old);
      await seen();
      retarget(n);
      log.append(5, old);
      log.append(5, target(n));
      await seen();
    }
    // Two files that are written together have no order between them.
    expect(followed.texts.toSorted(byNumber)).toEqual(log.written);
  });

  test("its target is rotated where it lies", async () => {
    log.append(5);
    fs.renameSync(target(0), `${target(0)}.1`);
    log.append(5);
    fs.renameSync(`${target(0)}.1`, `${target(0)}.2`);
    fs.renameSync(target(0), `${target(0)}.1`);
    log.append(5);
    await followed.all(log);
  });
});

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10);
}
