/** A log is truncated, with and without a copy. */
import fs from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(async () => {
  log = new LogDirectory();
  log.append(3);
  followed = new Followed(log.path);
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

test("copy and truncate, the writer quiet", async () => {
  for (let rotation = 0; rotation < 4; rotation++) {
    log.append(20);
    await seen();
    log.copyTruncate();
    await until("it to be told", () => followed.times("info truncated") === rotation + 1);
    log.append(20);
    await seen();
  }
  await followed.all(log);
  expect(followed.times("warning possible gap")).toBe(0);
});

test("copy and truncate, the last lines not yet read", async () => {
  for (let rotation = 0; rotation < 4; rotation++) {
    log.append(20);
    log.copyTruncate();
    log.append(30);
    await seen();
  }
  await followed.all(log);
});

test("copy and truncate twice at once", async () => {
  log.append(20);
  log.copyTruncate();
  log.append(20);
  log.copyTruncate();
  log.append(100);
  await followed.all(log);
});

test("copy and truncate right after the start of a new file", async () => {
  log.rotate();
  await until("the new file", () => followed.times("info rotated") === 1);
  log.append(20);
  log.copyTruncate();
  log.append(20);
  log.copyTruncate();
  log.append(20);
  await followed.all(log);
});

test("copied and truncated under a writer that never rests: what stood only there in between is lost, and no more", async () => {
  const writer = log.open();
  for (let rotation = 0; rotation < 4; rotation++) {
    log.append(20, writer);
    if (rotation % 2 === 0) await seen();
    log.copyTruncate(() => log.raw("behind the copy's end #\n", writer));
    log.append(20 * rotation, writer);
    await seen();
  }
  await followed.all(log);
});

test.each([
  ["at a line's end", 0],
  ["inside a line", 3],
])("truncated to less, %s: what is left comes again, and what follows once", async (_, more) => {
  log.append(20);
  await seen();
  const left = log.written.slice(0, 10);
  fs.truncateSync(log.path, left.join("\n").length + 1 + more);
  await until("it to be told", () => followed.times("warning possible gap") === 1);
  if (more > 0) log.raw("\n");
  log.written.push(...left);
  log.append(5);
  await followed.all(log);
});

test("copied over an older copy", async () => {
  for (let rotation = 0; rotation < 4; rotation++) {
    log.append(20);
    if (rotation % 2 === 0) await seen();
    fs.copyFileSync(log.path, `${log.path}.1`);
    fs.truncateSync(log.path);
    log.append(10 + 20 * rotation);
    await seen();
  }
  await followed.all(log);
});

test("truncated and regrown past the old size in one go", async () => {
  for (let round = 0; round < 3; round++) {
    log.append(50);
    await seen();
    fs.truncateSync(log.path);
    log.append(200);
    await seen();
  }
  await followed.all(log);
  expect(followed.times("warning possible gap")).toBe(3);
});

test("a copy is made without truncating: nothing is read twice", async () => {
  log.append(20);
  fs.copyFileSync(log.path, `${log.path}-20261123`);
  await seen();
  log.append(20);
  await seen();
  fs.copyFileSync(log.path, `${log.path}-20261124`);
  log.append(20);
  fs.renameSync(log.path, `${log.path}-20261125`);
  log.append(20);
  await followed.all(log);
});

test("an empty log is filled, copied and truncated before anybody looks, then stays empty", async () => {
  log.rotate();
  await until("the new file", () => followed.times("info rotated") === 1);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  log.append(20);
  log.copyTruncate();
  await followed.all(log);
});

test("a hole is left by a writer without O_APPEND", async () => {
  const writer = fs.openSync(log.path, "r+");
  let at = fs.statSync(log.path).size;
  const write = () => (at += fs.writeSync(writer, log.line(), at));
  for (let i = 0; i < 2000; i++) write();
  await seen();
  fs.truncateSync(log.path);
  for (let i = 0; i < 10; i++) write();
  await followed.all(log);
  fs.closeSync(writer);
});

test("half a line is lost with the old content: what comes first may be the other half", async () => {
  log.raw(`${log.line()}1 forged by hal`);
  await seen();
  fs.truncateSync(log.path);
  log.raw("ves #\n");
  log.append(3);
  await followed.all(log);
});
