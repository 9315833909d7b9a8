/** When the audit is written, with a file that fails as a test wants it to. */
import { beforeEach, expect, test } from "vitest";
import type { AuditEvent } from "../../src/audit-event.ts";
import type { AuditFile } from "../../src/audit/file.ts";
import { mostWaiting, Recorder } from "../../src/audit/recorder.ts";
import { canonicalClient } from "../../src/client.ts";
import { createLog } from "../../src/log.ts";
import { ManualClock, settled } from "../manual-clock.ts";

const path = "/var/log/popgate/audit.log";
const hour = 3_600_000;
let clock: ManualClock;
let told: string[];
let recorder: Recorder;
/** By the path: the lines of each append. */
let batches: [path: string, lines: readonly string[]][];
let fault: Error | undefined;
/** How many lines still fit. */
let room: number;
let gone: boolean;
let opened: number;
let closed: number;
let hangs: boolean;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  batches = [];
  fault = undefined;
  room = Infinity;
  [gone, hangs, opened, closed] = [false, false, 0, 0];
  const log = createLog(clock, (line) => void told.push(line.trimEnd()));
  recorder = new Recorder({ clock, log, open: async (name) => open(name) });
});

function open(name: string): AuditFile {
  if (fault !== undefined) throw fault;
  opened++;
  gone = false;
  return {
    append: async (lines) => {
      if (hangs) await new Promise(() => {});
      const fitting = lines.slice(0, room);
      room -= fitting.length;
      if (fitting.length > 0) batches.push([name, fitting]);
      if (fitting.length === lines.length) return { lines: fitting.length };
      return { lines: fitting.length, error: new Error("no space") };
    },
    isGone: async () => gone,
    close: async () => void closed++,
  };
}

function started(name = path): void {
  recorder.configure(name);
  recorder.start();
}

const grant = (user: string, event: AuditEvent["event"] = "granted"): AuditEvent => ({
  event,
  client: canonicalClient("192.0.2.7"),
  user,
});

const lines = () => batches.flatMap(([, all]) => all);
const users = () =>
  lines().map((line) => {
    const { event, user, events, logins } = JSON.parse(line) as Record<string, unknown>;
    return user ?? (events === undefined ? event : `${String(event)} ${String(events ?? logins)}`);
  });

test("nothing is kept, and no timer armed, where no audit is wanted", async () => {
  recorder.start();
  await clock.pass(1000);
  recorder.record(grant("ann"));
  await clock.pass(1000);
  expect([opened, clock.armed, recorder.trouble]).toEqual([0, 0, undefined]);
});

test("the file is opened at the start, and what comes close together is written together", async () => {
  started();
  await clock.pass(1);
  expect(opened).toBe(1);
  recorder.record(grant("ann"));
  recorder.record(grant("bob"));
  await clock.pass(249);
  expect(lines()).toEqual([]);
  await clock.pass(1);
  expect(users()).toEqual(["ann", "bob"]);
  expect(batches).toHaveLength(1);
  expect(clock.armed).toBe(0);
});

test("what is told before the start is written then, and never if it does not come", async () => {
  recorder.configure(path);
  recorder.record(grant("ann"));
  await clock.pass(hour);
  expect(opened).toBe(0);
  recorder.start();
  await clock.pass(1);
  expect(users()).toEqual(["ann"]);
  const other = new Recorder({
    clock,
    log: createLog(clock, () => {}),
    open: async () => open("b"),
  });
  other.configure(path);
  other.record(grant("bob"));
  await other.stop();
  expect(users()).toEqual(["ann"]);
});

test("further logins are written once an hour, also where nothing else happens", async () => {
  started();
  for (let n = 0; n < 50; n++) {
    recorder.record({ ...grant("ann", "renewed"), login: clock.now() });
    await clock.pass(60_000, 5000);
  }
  expect(lines()).toEqual([]);
  await clock.pass(11 * 60_000, 5000);
  expect(lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { event: "renewed", user: "ann", logins: 50, login: "2026-11-23T06:49:00.000Z" },
  ]);
  expect(clock.armed).toBe(0);
});

test("a burst is written in slices", async () => {
  started();
  for (let n = 0; n < 1200; n++) recorder.record(grant(String(n)));
  await clock.pass(250);
  expect(batches.map(([, all]) => all.length)).toEqual([500, 500, 200]);
});

test("a full disk is told once, shows as a trouble, loses nothing that waits, and heals", async () => {
  started();
  await clock.pass(1);
  room = 2;
  for (const user of ["ann", "bob", "cid"]) recorder.record(grant(user));
  await clock.pass(250);
  recorder.record(grant("dan"));
  await clock.pass(10_000, 500);
  expect(users()).toEqual(["ann", "bob"]);
  expect(recorder.trouble).toBe(
    `audit ${path}: not written since 2026-11-23T06:00:00.251Z: no space`,
  );
  room = Infinity;
  await clock.pass(1000);
  expect(users()).toEqual(["ann", "bob", "cid", "dan"]);
  expect(recorder.trouble).toBeUndefined();
  expect(told).toEqual([
    `error: audit not written file=${path} reason="no space"`,
    `warning: audit written again file=${path} lost=0`,
  ]);
});

test("so much waits and no more; what was lost is told in the log, and in the file, where it is missing", async () => {
  started();
  await clock.pass(1);
  room = 0;
  for (let n = 0; n < mostWaiting + 7; n++) recorder.record(grant(String(n)));
  await clock.pass(1000);
  room = Infinity;
  await clock.pass(1000);
  await settled();
  for (let turn = 0; turn < 300; turn++) await settled();
  recorder.record(grant("later"));
  await clock.pass(1000);
  expect(users().slice(-3)).toEqual([String(mostWaiting - 1), "lost 7", "later"]);
  expect(lines()).toHaveLength(mostWaiting + 2);
  expect(told.at(-1)).toBe(`warning: audit written again file=${path} lost=7`);
});

test("a file that cannot be opened is tried again every second", async () => {
  fault = new Error("permission denied");
  started();
  recorder.record(grant("ann"));
  await clock.pass(5000, 500);
  expect(recorder.trouble).toMatch(/permission denied$/);
  fault = undefined;
  await clock.pass(1000);
  expect(users()).toEqual(["ann"]);
  expect(told).toHaveLength(2);
});

test("when no audit is wanted any more, the former file gets the logins of this hour, and no timer is left", async () => {
  started();
  recorder.record(grant("ann", "renewed"));
  await clock.pass(1000);
  expect(users()).toEqual([]);
  recorder.configure(undefined);
  await clock.pass(1000);
  expect([users(), closed]).toEqual([["ann"], 1]);
  await clock.pass(2 * hour, 60_000);
  expect([clock.armed, opened]).toEqual([0, 1]);
});

test("told to reopen, it ends the former file with what waits, and opens the one with that name", async () => {
  started();
  await clock.pass(1);
  recorder.record(grant("ann"));
  recorder.reopen();
  await clock.pass(1);
  expect([opened, closed]).toEqual([2, 1]);
  expect(users()).toEqual(["ann"]);
  recorder.configure("/other");
  recorder.record(grant("bob"));
  await clock.pass(1);
  recorder.record(grant("cid"));
  await clock.pass(250);
  expect(batches.map(([name]) => name)).toEqual([path, path, "/other"]);
  recorder.configure(undefined);
  recorder.record(grant("dan"));
  await clock.pass(1000);
  expect([opened, closed, clock.armed]).toEqual([3, 3, 0]);
});

test("a file that was removed is made again before anything more is written", async () => {
  started();
  await clock.pass(1);
  gone = true;
  recorder.record(grant("ann"));
  await clock.pass(250);
  expect([opened, closed, users()]).toEqual([2, 1, ["ann"]]);
});

test("a stop writes what there is, the logins of this hour, too", async () => {
  started();
  await clock.pass(1);
  recorder.record(grant("ann"));
  recorder.record(grant("bob", "renewed"));
  recorder.record({ event: "stopped" });
  await recorder.stop();
  expect(users()).toEqual(["ann", "stopped", "bob"]);
  expect([closed, clock.armed]).toEqual([1, 0]);
});

test("a write that hangs is a trouble, and holds no stop up", async () => {
  started();
  await clock.pass(1);
  hangs = true;
  recorder.record(grant("ann"));
  await clock.pass(250);
  expect(recorder.trouble).toBeUndefined();
  await clock.pass(10_000);
  expect(recorder.trouble).toBe(`audit ${path}: a write has not come back for 10 s`);
  const stopped = recorder.stop();
  await clock.pass(5000);
  await stopped;
  expect(told).toEqual([
    `error: audit not written to its end file=${path} lost=1 reason="it takes too long"`,
  ]);
});
