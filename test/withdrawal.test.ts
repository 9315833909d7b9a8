import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateLock } from "../src/state-lock.ts";
import { pendingWithdrawal, requestWithdrawal, withdrawalDone } from "../src/withdrawal.ts";
import { ManualClock } from "./manual-clock.ts";
import { until } from "./until.ts";

let directory: string;
let signals: number;
const count = () => void signals++;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-withdrawal-"));
  signals = 0;
  process.on("SIGUSR2", count);
  writeFileSync(stateLock(directory), `${String(process.pid)}\n`);
});

afterEach(() => {
  process.off("SIGUSR2", count);
  rmSync(directory, { recursive: true });
});

/** Lets time pass until the promise is settled. */
async function passed<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const settled = work.finally(() => {
    over = true;
  });
  await until("the answer", async () => {
    await clock.pass(25);
    return over;
  });
  return settled;
}

test.each([false, true])(
  "a daemon is told (forget: %s), and says when it is done",
  async (forget) => {
    const clock = new ManualClock();
    const asked = requestWithdrawal(directory, { forget }, clock);
    await until("the signal", () => signals > 0 && pendingWithdrawal(directory) !== undefined);
    expect(pendingWithdrawal(directory)).toEqual({ forget });
    withdrawalDone(directory);
    expect(await passed(clock, asked)).toBe(true);
    expect([signals, pendingWithdrawal(directory)]).toEqual([1, undefined]);
  },
);

test("a daemon that does not answer is given up, and the request is taken back", async () => {
  const clock = new ManualClock();
  expect(await passed(clock, requestWithdrawal(directory, { forget: false }, clock))).toBe(false);
  expect(existsSync(join(directory, "withdraw"))).toBe(false);
});

test.each(["", "{", "[]", "null", '{"forget":"yes"}'])(
  "a request that reads %j forgets nothing",
  (text) => {
    writeFileSync(join(directory, "withdraw"), text);
    expect(pendingWithdrawal(directory)?.forget ?? false).toBe(false);
  },
);
