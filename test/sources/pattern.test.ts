/** Several logs at once: those that fit a pattern, and those that come. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock, type Clock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import type { Checkpoints } from "../../src/model.ts";
import { logsLike, PatternSource } from "../../src/sources/pattern.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { LogDirectory } from "./log-directory.ts";
import { holding } from "./wanted.ts";

let log: LogDirectory;
let running: PatternSource | undefined;
let lines: string[];
let told: string[];

beforeEach(() => {
  log = new LogDirectory("a.log");
  lines = [];
  told = [];
});

afterEach(async () => {
  await running?.stop();
  log.remove();
});

function beside(name: string): string {
  return join(log.directory, name);
}

async function follow(
  { checkpoints = {}, clock = systemClock }: { checkpoints?: Checkpoints; clock?: Clock } = {},
  pattern = "*.log",
): Promise<PatternSource> {
  running = new PatternSource({
    pattern: beside(pattern),
    checkpoints: JSON.parse(JSON.stringify(checkpoints)) as Checkpoints,
    clock,
    log: createLog(clock, (line) => void told.push(line.trimEnd())),
    since: 0,
    wants: holding("#"),
    programs: [],
    timeOf: () => undefined,
    deliver: ({ bytes }) => void lines.push(bytes.toString()),
  });
  await running.start();
  return running;
}

/** All that was written has come out once, in whatever order the logs were read. */
async function all(): Promise<void> {
  await until("all lines", () => lines.length >= log.written.length).catch(() => undefined);
  expect(lines.toSorted()).toEqual(log.written.toSorted());
}

test.each<[string, readonly string[], readonly string[]]>([
  ["*.log", ["a.log", "b.log", "a.log-b.log"], ["a.log.1", "a.log-20261123.gz", "b.log.2.gz", "c"]],
  ["mail*", ["mail.log", "mail.err", "mail"], ["mail.log.1", "mail-20261123", "mail.gz", "mail~"]],
  ["mail-*", ["mail-20261123", "mail-20261124.log"], ["mail-20261124.log.1", "mail-1.log.bak"]],
  ["*", ["maillog", "auth"], ["maillog.1", "maillog-20261123", ".maillog.swp", "auth.swp"]],
])("%s takes in %j, and not %j", (pattern, logs, others) => {
  for (const name of [...logs, ...others]) fs.writeFileSync(beside(name), "");
  fs.mkdirSync(beside("mail-d.log"));
  expect(logsLike(beside(pattern))).toEqual(logs.map(beside).toSorted());
});

test("those that are there are read with their rotated files, and so are those that come", async () => {
  log.append(10);
  log.rotate();
  log.append(10);
  log.append(10, beside("b.log"));
  await follow();
  expect(lines).toHaveLength(30);
  log.append(10, beside("c.log"));
  await until("the new log", () => lines.length === 40);
  log.rotate();
  fs.renameSync(beside("c.log"), beside("c.log.1"));
  log.append(10, beside("c.log"));
  log.append(10);
  await all();
  expect(running?.progress().map(({ name }) => name)).toEqual(
    ["a.log", "b.log", "c.log"].map(beside),
  );
});

describe("each log has its checkpoint", () => {
  test("and goes on there", async () => {
    const names = ["a.log", "b.log", "c.log"].map(beside);
    for (const name of names) log.append(10, name);
    const first = await follow();
    await first.stop();
    for (const name of names) log.append(10, name);
    await follow({ checkpoints: first.checkpoints() });
    expect(Object.keys(first.checkpoints())).toEqual(names);
    await all();
  });

  test("also one that was rotated away and has not come back yet", async () => {
    log.append(10);
    const first = await follow();
    await first.stop();
    log.append(10);
    log.shift();
    await follow({ checkpoints: first.checkpoints() });
    log.append(10);
    await all();
  });
});

test("a log that is gone for good is given up after a minute, and a new one of its name is read", async () => {
  const clock = new ManualClock();
  log.append(10);
  log.append(10, beside("b.log"));
  const source = await follow({ clock });
  fs.rmSync(beside("b.log"));
  await until("it to be given up", () => {
    clock.advance(1000);
    return Object.keys(source.checkpoints()).length === 1;
  });
  log.append(10, beside("b.log"));
  await until("the new one", () => {
    clock.advance(250);
    return lines.length === 30;
  });
  await all();
});

test("a link to a log is one; a directory, a pipe, and a link to nothing or to a directory are none", () => {
  for (const name of ["a.log", "target"]) fs.writeFileSync(beside(name), "");
  fs.mkdirSync(beside("b.log"));
  execFileSync("mkfifo", [beside("c.log")]);
  fs.symlinkSync("target", beside("d.log"));
  fs.symlinkSync("nothing", beside("e.log"));
  fs.symlinkSync("b.log", beside("f.log"));
  expect(logsLike(beside("*.log")).toSorted()).toEqual([beside("a.log"), beside("d.log")]);
});

test("a directory that is missing is told once, and waited for", async () => {
  fs.rmSync(log.directory, { recursive: true });
  await follow();
  expect(told).toEqual([expect.stringMatching(/^warning: log missing source=\S+\*\.log/)]);
  fs.mkdirSync(log.directory);
  log.append(5);
  await all();
});

test("where anybody can create a log, none joins until that is over", async () => {
  log.append(5);
  fs.chmodSync(log.directory, 0o1777);
  await follow();
  expect(told).toEqual([
    `warning: log unreadable source="${beside("*.log")}" reason="anybody can create a log in ${log.directory}, and so forge logins"`,
  ]);
  expect(lines).toEqual([]);
  fs.chmodSync(log.directory, 0o755);
  await all();
});

test("no log starves another: while one is read, lines of the others come out", async () => {
  log.raw(`${"x".repeat(99)} #\n`.repeat(300_000));
  log.raw("small #\n", beside("b.log"));
  await follow();
  expect(lines).toHaveLength(300_001);
  expect(lines.indexOf("small #")).toBeLessThan(150_000);
});
