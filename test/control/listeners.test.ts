import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { Control } from "../../src/control/control.ts";
import { Listeners } from "../../src/control/listeners.ts";
import { createLog } from "../../src/log.ts";
import { run } from "../../src/run.ts";
import { inside, told } from "./place.ts";

function listeners(runProgram = run): Listeners {
  const log = createLog(systemClock, (line) => void told.push(line));
  return new Listeners({ log, run: runProgram, control: {} as Control });
}

const settings = (name = "socket") => ({ control: { socket: inside(name) }, metrics: {} });

test("their end is never an error, whatever stands in the socket's place", async () => {
  const open = listeners();
  await open.open(settings());
  rmSync(inside("socket"));
  mkdirSync(inside("socket"));
  await open.close();
  expect(told.join("")).toMatch(
    /^error: the control socket stays reason="something else stands at /,
  );
});

test("once closed they stay closed, whatever a reload wants that ends later", async () => {
  const open = listeners();
  await open.open(settings());
  await open.close();
  await open.open(settings());
  await open.open(settings("other"));
  expect([existsSync(inside("socket")), existsSync(inside("other"))]).toEqual([false, false]);
});

test("a socket that stands is left alone, one that somebody removed is made again", async () => {
  const open = listeners();
  const numberOf = () => statSync(inside("socket")).ino;
  await open.open(settings());
  const first = numberOf();
  await open.open(settings());
  expect(numberOf()).toBe(first);
  rmSync(inside("socket"));
  await open.open(settings());
  expect(statSync(inside("socket")).isSocket()).toBe(true);
  await open.close();
  expect(existsSync(inside("socket"))).toBe(false);
  expect(told).toEqual([]);
});

test("closed while they open, they are closed", async () => {
  let go = () => {};
  const gone = new Promise<void>((resolve) => (go = resolve));
  const open = listeners(async (...args) => {
    await gone;
    return run(...args);
  });
  const { metrics, control } = settings();
  const opened = open.open({ metrics, control: { ...control, group: "daemon" } });
  await open.close();
  go();
  await opened;
  expect(existsSync(inside("socket"))).toBe(false);
  expect(told).toEqual([]);
});
