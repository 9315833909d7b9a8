/** Events come in storms, and for nothing: the result is the same, and nobody looks more often than once a turn. */
import fs from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

const counts = vi.hoisted(() => ({ looks: 0 }));

vi.mock("../../src/sources/named.ts", async (original) => {
  const named = await original<typeof import("../../src/sources/named.ts")>();
  return {
    ...named,
    lookAt: (path: string) => {
      counts.looks++;
      return named.lookAt(path);
    },
  };
});

let log: LogDirectory;
let followed: Followed;
let storm: NodeJS.Immediate;
let turns = 0;

/** Each change of the mode, also to what it was, is an event for every watch. */
function rage(): void {
  turns++;
  for (let i = 0; i < 200; i++) if (fs.existsSync(log.path)) fs.chmodSync(log.path, 0o644);
  storm = setImmediate(rage);
}

beforeEach(async () => {
  log = new LogDirectory();
  log.append(3);
  followed = new Followed(log.path);
  await followed.source.start();
  rage();
});

afterEach(async () => {
  clearImmediate(storm);
  await followed.source.stop();
  log.remove();
});

test("a storm while it is written, rotated, truncated and unlinked", async () => {
  for (let round = 0; round < 20; round++) {
    const old = log.open();
    log.append(20, old);
    log.rotate();
    log.append(20, old);
    log.append(20);
    await followed.all(log);
    log.copyTruncate();
    log.append(20);
    await followed.all(log);
    fs.unlinkSync(log.path);
    log.append(20);
    await followed.all(log);
  }
  turns = 0;
  counts.looks = 0;
  await until("a hundred turns", () => turns >= 100);
  expect(counts.looks).toBeGreaterThan(1);
  expect(counts.looks).toBeLessThanOrEqual(turns + 1);
});
