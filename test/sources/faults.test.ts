/** The host fails: reads, and descriptors. It is told once, and nothing is lost when it is over. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

const fault = vi.hoisted((): { read?: Error; open?: Error } => ({}));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return {
    ...fs,
    readSync: (...parts: Parameters<typeof fs.readSync>) => {
      if (fault.read !== undefined) throw fault.read;
      return fs.readSync(...parts);
    },
    openSync: (...parts: Parameters<typeof fs.openSync>) => {
      if (fault.open !== undefined && String(parts[0]).includes("mail.log")) throw fault.open;
      return fs.openSync(...parts);
    },
  };
});

function failure(code: string, words: string): Error {
  return Object.assign(new Error(`${code}: ${words}`), { code, errno: -1 });
}

let log: LogDirectory;
let followed: Followed;

beforeEach(async () => {
  log = new LogDirectory();
  log.append(5);
  followed = new Followed(log.path);
  await followed.source.start();
});

afterEach(async () => {
  delete fault.read;
  delete fault.open;
  await followed.source.stop();
  log.remove();
});

test.each([
  ["EIO", "i/o error, read"],
  ["ESTALE", "stale file handle, read"],
])("reads fail with %s for a while", async (code, words) => {
  fault.read = failure(code, words);
  log.append(5);
  await until("it to be told", () => followed.times("warning log unreadable") === 1);
  for (let i = 0; i < 20; i++) log.append(1);
  await until("another look", () => followed.told.length > 1);
  delete fault.read;
  await followed.all(log);
  await until("it to be over", () => followed.times("info following") === 2);
  expect(followed.times("warning log unreadable")).toBe(1);
  expect(followed.times("warning possible gap")).toBe(0);
});

test.each([
  ["EMFILE", "too many open files, open"],
  ["EACCES", "permission denied, open"],
])("the new file cannot be opened, with %s, for a while", async (code, words) => {
  const old = log.open();
  log.shift();
  const young = log.open();
  fault.open = failure(code, words);
  log.append(5, old);
  log.append(5, young);
  await until("it to be told", () => followed.times("warning log unreadable") === 1);
  log.append(5, old);
  await until("the old file to be read on", () => followed.lines.length === 15);
  log.append(5, young);
  delete fault.open;
  await until("all lines", () => followed.lines.length >= 25);
  const inOrder = followed.texts.toSorted(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
  );
  expect(inOrder).toEqual(log.written);
  expect(followed.times("warning log unreadable")).toBe(1);
  expect(followed.times("warning possible gap")).toBe(0);
});
