/** What `list --sources` shows of the state. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { list } from "../../src/commands/list.ts";
import { acquireLock } from "../../src/lock.ts";
import { run } from "../../src/run.ts";
import { stateLock } from "../../src/state-lock.ts";
import { saveState } from "../../src/state.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";

const now = Date.parse("2026-11-23T06:00:00Z");
let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-list-"));
  outside = new GatheringOutside();
});

afterEach(() => rmSync(directory, { recursive: true }));

test("shows the sources, as they were saved", async () => {
  const none = { too_long: 0, unterminated: 0, untrusted: 0 };
  const quiet = {
    name: "/var/log/mail.log",
    position: "1234",
    lag_bytes: 0,
    lag_seconds: 0,
    lines: 20,
    rotations: 2,
    dropped: { ...none, too_long: 1, unterminated: 2 },
    gaps: 1,
  };
  const late = {
    ...quiet,
    name: "/var/log/\u001b[2J.log",
    position: "s=0123456789abcdef0123456789abcdef;i=7",
    lag_bytes: 1_234_567,
    lag_seconds: 61,
    dropped: none,
    trouble: "log unreadable: permission denied (EACCES)",
  };
  const sources = [quiet, late, { ...late, lag_bytes: 12, lag_seconds: 0 }];
  await saveState(directory, {
    saved: now,
    forgotten: 0,
    revocations: [],
    checkpoints: {},
    open: {},
    sources,
    tables: [],
    grants: [],
  });
  outside.clock = new ManualClock(now + 3000);
  await list({ sources: true, stateDir: directory }, outside);
  expect(outside.printed.split("\n")).toEqual([
    "SOURCE             POSITION              LAG           LINES  ROTATIONS  DROPPED  GAPS  TROUBLE",
    "/var/log/mail.log  1234                  0             20     2          3        1",
    "/var/log/?[2J.log  s=0123456789abcdef0…  1.2 MB 1m01s  20     2          0        1     log unreadable: permission denied (EACCES)",
    "/var/log/?[2J.log  s=0123456789abcdef0…  12 B          20     2          0        1     log unreadable: permission denied (EACCES)",
    "",
  ]);
  expect(outside.told).toBe("popgate does not run: saved 3s ago\n");
  outside.printed = "";
  await list({ sources: true, json: true, stateDir: directory }, outside);
  const printed = outside.printed.trimEnd().split("\n");
  expect(printed.map((line): unknown => JSON.parse(line))).toEqual(sources);
});

test("says when no source was read", async () => {
  await list({ sources: true, stateDir: directory }, outside);
  const lock = await acquireLock(stateLock(directory), run);
  await list({ sources: true, json: true, stateDir: directory }, outside);
  lock?.release();
  expect(outside.printed).toBe("");
  const none = "no source was read yet\n";
  expect(outside.told).toBe(
    `${none}popgate does not run\npopgate runs, and does not answer at ${directory}/control; its log says why\n`,
  );
});
