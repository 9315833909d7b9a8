import { beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../src/log.ts";
import { Notifier } from "../src/notify.ts";
import type { Run } from "../src/run.ts";
import { ManualClock, settled } from "./manual-clock.ts";

const pid = 4711;
let clock: ManualClock;
let sent: string[];
let told: string[];
let outcome: { ok: boolean; reason: string };
let life: { heart: number; grants: number };

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  told = [];
  outcome = { ok: true, reason: "" };
  life = { heart: Infinity, grants: 0 };
});

const run: Run = ([program, ...words]) => {
  expect(program).toBe("systemd-notify");
  sent.push(words.join(" "));
  return Promise.resolve({ ...outcome, missing: false, stdout: "", stderr: "" });
};

function notifier(environment: Record<string, string>): Notifier {
  const log = createLog(clock, (line) => void told.push(line.trimEnd()));
  return new Notifier({ clock, run, log, environment, pid });
}

const living = { beat: () => life.heart, summary: () => `${String(life.grants)} grants` };
const socket = { NOTIFY_SOCKET: "/run/systemd/notify" };
const watched = { ...socket, WATCHDOG_USEC: "90000000", WATCHDOG_PID: String(pid) };

async function pass(seconds: number): Promise<string[]> {
  sent = [];
  await clock.pass(seconds * 1000, 1000);
  return sent;
}

describe("systemd is told", () => {
  test("nothing where nobody listens, and no timer is armed", async () => {
    const silent = notifier({ WATCHDOG_USEC: "90000000" });
    silent.starting();
    silent.ready(living);
    silent.reloading();
    expect(clock.armed).toBe(0);
    await silent.stopping();
    expect(sent).toEqual([]);
  });

  test("that it is ready, reloads, is ready again, and stops, in that order", async () => {
    const notify = notifier(socket);
    notify.ready(living);
    clock.advance(1234);
    notify.reloading();
    life.grants = 2;
    notify.ready(living);
    await notify.stopping();
    expect(sent).toEqual([
      "READY=1 STATUS=0 grants",
      "RELOADING=1 MONOTONIC_USEC=2234000",
      "READY=1 STATUS=2 grants",
      "STOPPING=1 STATUS=emptying the tables",
    ]);
    expect(clock.armed).toBe(0);
  });

  test("nothing more once it stops, though a start or a reload comes to its end after that", async () => {
    const notify = notifier(socket);
    notify.starting();
    await notify.stopping();
    notify.ready(living);
    expect(await pass(61)).toEqual([]);
    expect(clock.armed).toBe(0);
  });

  test("one thing at a time, whatever a name has in it", async () => {
    const notify = notifier(socket);
    notify.ready({ ...living, summary: () => "source a\nWATCHDOG=trigger\r\u0085b: log missing" });
    await notify.stopping();
    expect(sent[0]).toBe("READY=1 STATUS=source a WATCHDOG=trigger  b: log missing");
  });

  test("every 30 s that a start goes on, and no more once it is ready", async () => {
    const notify = notifier(socket);
    notify.starting();
    expect(await pass(61)).toEqual(Array(2).fill("EXTEND_TIMEOUT_USEC=90000000"));
    notify.ready(living);
    expect(await pass(61)).toEqual(["READY=1 STATUS=0 grants"]);
  });

  test("how it does only when that has changed, if there is no watchdog", async () => {
    notifier(socket).ready(living);
    expect(await pass(31)).toEqual(["READY=1 STATUS=0 grants"]);
    life.grants = 1;
    expect(await pass(60)).toEqual(["STATUS=1 grants"]);
  });

  test.each([
    ["90 s", watched, 30],
    ["9 s", { ...watched, WATCHDOG_USEC: "9000000" }, 3],
    ["an hour", { ...watched, WATCHDOG_USEC: "3600000000" }, 30],
  ])("the watchdog of %s, that it lives", async (_, environment, seconds) => {
    notifier(environment).ready(living);
    await pass(1);
    expect(await pass(3 * seconds)).toEqual(Array(3).fill("WATCHDOG=1"));
  });

  test.each([
    ["another process's", { WATCHDOG_PID: "1" }],
    ["none", { WATCHDOG_USEC: "" }],
    ["no number", { WATCHDOG_USEC: "90s" }],
  ])("no watchdog: %s", async (_, environment) => {
    notifier({ ...watched, ...environment }).ready(living);
    await pass(1);
    expect(await pass(300)).toEqual([]);
  });

  test("the watchdog starves while any part is silent, and is fed when it speaks again", async () => {
    life.heart = clock.monotonic();
    notifier(watched).ready(living);
    await pass(1);
    expect(await pass(120)).toEqual(Array(4).fill("WATCHDOG=1"));
    expect(await pass(60)).toEqual([]);
    expect(told).toEqual([
      "error: something hangs, the watchdog is not fed seconds=150",
      "error: something hangs, the watchdog is not fed seconds=180",
    ]);
    life.heart = clock.monotonic();
    expect(await pass(30)).toEqual(["WATCHDOG=1"]);
  });
});

test("that systemd cannot be told is told once", async () => {
  outcome = { ok: false, reason: "no such program" };
  const notify = notifier(watched);
  notify.ready(living);
  await pass(90);
  await settled();
  expect(told).toEqual(['error: systemd cannot be told reason="no such program"']);
});
