/** The host fails: reads, descriptors, the listing of a directory. It is told, and nothing is lost when it is over. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { failing, fault } from "./faulty.ts";
import type { Fallible } from "./faulty.ts";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

vi.mock("node:fs", async (original) => {
  const { faulty } = await import("./faulty.ts");
  return faulty(await original<typeof import("node:fs")>());
});

let log: LogDirectory;
let followed: Followed;

async function follow(options?: ConstructorParameters<typeof Followed>[1]): Promise<void> {
  followed = new Followed(log.path, options);
  await followed.source.start();
}

beforeEach(async () => {
  log = new LogDirectory();
  log.append(5);
  await follow({ clock: hurried });
});

afterEach(async () => {
  for (const what of ["read", "open", "list"] as const) delete fault[what];
  await followed.source.stop();
  const open = log.descriptors();
  log.remove();
  expect(open).toBe(0);
});

/** Waits until something has been tried so many times, whatever came of it. */
async function tried(what: Fallible, times = 3): Promise<void> {
  const happens = fault[what];
  let count = 0;
  fault[what] = (path) => {
    count++;
    happens?.(path);
  };
  await until(`${String(times)} tries`, () => count >= times);
}

/** All lines have come out once; between files that are written together there is no order. */
async function all(): Promise<void> {
  await until("all lines", () => followed.lines.length >= log.written.length).catch(
    () => undefined,
  );
  expect(followed.texts.toSorted()).toEqual(log.written.toSorted());
  expect(followed.times("warning possible gap")).toBe(0);
}

describe("reads fail for a while", () => {
  test.each(["EIO", "ESTALE"] as const)("with %s", async (code) => {
    fault.read = failing(code, "mail.log");
    log.append(5);
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    for (let i = 0; i < 20; i++) log.append(1);
    await tried("read");
    delete fault.read;
    await all();
    await until("it to be over", () => followed.times("info following") === 2);
    expect(followed.times("warning log unreadable")).toBe(1);
  });

  test("in a log that is copied and truncated meanwhile", async () => {
    fault.read = failing("EIO", "mail.log");
    log.append(5);
    await tried("read");
    log.copyTruncate();
    log.append(50);
    await tried("read");
    delete fault.read;
    await all();
  });

  test("in a rotated file that is still written", async () => {
    const old = log.open();
    log.rotate();
    log.append(5, old);
    await all();
    fault.read = failing("EIO", "mail.log.1");
    log.append(5, old);
    log.append(5);
    await tried("read");
    log.append(5);
    await until("the new file to be read on", () => followed.lines.length === 20);
    delete fault.read;
    log.append(5, old);
    await all();
  });

  test("now and then: told, and not again and again", async () => {
    // What lasts for a second is told again: a slow machine must not take so long by the clock.
    await followed.source.stop();
    await follow();
    for (let i = 0; i < 50; i++) {
      fault.read = (path) => {
        delete fault.read;
        failing("EIO", "mail.log")(path);
      };
      log.append(1);
      await until("the line", () => followed.lines.length === log.written.length);
    }
    expect(followed.times("warning log unreadable")).toBe(1);
    expect(followed.times("info following")).toBeLessThanOrEqual(2);
    await all();
  });
});

describe("what is behind is told while", () => {
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock();
    await followed.source.stop();
    await follow({ clock });
  });

  const told = () => followed.source.progress()[0];
  /** The bytes of the last five lines. */
  const unread = () => `${log.written.slice(-5).join("\n")}\n`.length;

  test("reads fail", async () => {
    fault.read = failing("EIO", "mail.log");
    log.append(5);
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    await clock.pass(61_000, 250);
    expect(told()).toMatchObject({
      lag_bytes: unread(),
      lag_seconds: 61,
      trouble: "log unreadable: i/o error (EIO)",
    });
    delete fault.read;
    await clock.pass(500, 250);
    expect(told()).toMatchObject({ lines: 10, lag_bytes: 0, lag_seconds: 0 });
    expect(told()).not.toHaveProperty("trouble");
  });

  test("the new file cannot be opened, though nobody knows how much", async () => {
    log.rotate();
    log.append(5);
    fault.open = failing("EACCES", "mail.log");
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    await clock.pass(61_000, 250);
    expect(told()).toMatchObject({ lag_seconds: 61, trouble: expect.stringContaining("EACCES") });
    expect(told()).not.toHaveProperty("lag_bytes");
    delete fault.open;
    await clock.pass(500, 250);
    expect(told()).toMatchObject({ lines: 10, lag_bytes: 0, lag_seconds: 0 });
  });

  test("a rotated file cannot be read", async () => {
    const old = log.open();
    log.rotate();
    log.append(1);
    await until("the new file", () => followed.times("info rotated") === 1);
    fault.read = failing("EIO", "mail.log.1");
    log.append(5, old);
    await until("it to be told", () => followed.times("error rotated log unreadable") === 1);
    await clock.pass(3000, 250);
    expect(told()).toMatchObject({ lag_bytes: unread(), lag_seconds: 3 });
  });
});

test("a rotated file cannot be read any more: told once, when it is given up", async () => {
  const clock = new ManualClock();
  await followed.source.stop();
  await follow({ clock });
  const old = log.open();
  log.rotate();
  await until("the new file", () => followed.times("info rotated") === 1);
  log.append(5);
  await until("the new file to be read", () => followed.lines.length === 10);
  fault.read = failing("EIO", "mail.log.1");
  log.append(5, old);
  await clock.pass(9000, 250);
  expect(followed.times("warning possible gap")).toBe(0);
  await clock.pass(2000, 250);
  expect(followed.times("warning possible gap")).toBe(1);
  expect(followed.source.checkpoint()).toHaveLength(1);
  log.append(5);
  await until("the new file to be read on", () => followed.lines.length === 15);
  expect(followed.times("warning possible gap")).toBe(1);
});

describe("there are no descriptors for a while", () => {
  test.each(["EMFILE", "EACCES"] as const)("for the new file: %s", async (code) => {
    const old = log.open();
    log.shift();
    const young = log.open();
    fault.open = failing(code, "mail.log");
    log.append(5, old);
    log.append(5, young);
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    log.append(5, old);
    await until("the old file to be read on", () => followed.lines.length === 15);
    log.append(5, young);
    delete fault.open;
    await all();
    expect(followed.times("warning log unreadable")).toBe(1);
  });

  test("to list the directory", async () => {
    fault.list = failing("EMFILE", log.directory);
    for (let rotation = 0; rotation < 3; rotation++) {
      log.append(5);
      log.rotate();
    }
    log.append(5);
    await tried("list");
    delete fault.list;
    await all();
  });

  test.each<[string, () => Promise<void>]>([
    ["that was read from", () => Promise.resolve()],
    [
      "that is new",
      async () => {
        log.rotate();
        await until("the new file", () => followed.times("info rotated") === 1);
      },
    ],
  ])("for the copies of a file %s, copied and truncated twice", async (_, before) => {
    await before();
    fault.open = failing("EMFILE", "mail.log.1");
    for (let i = 0; i < 2; i++) {
      log.append(5);
      log.copyTruncate();
    }
    log.append(5);
    await tried("open");
    delete fault.open;
    await all();
  });

  test("after a restart, for one of the files to read", async () => {
    const old = log.open();
    log.rotate();
    log.append(5, old);
    log.append(5);
    await all();
    await followed.source.stop();
    const checkpoint = followed.source.checkpoint();
    expect(checkpoint).toHaveLength(2);
    const before = followed.lines.length;
    log.append(5, old);
    log.rotate();
    log.append(5);
    fault.open = failing("EMFILE", "mail.log.2");
    await follow({ checkpoint });
    await tried("open", 10);
    expect(log.descriptors()).toBe(0);
    delete fault.open;
    await followed.all(log, before);
    expect(followed.times("warning possible gap")).toBe(0);
  });
});
