import { expect, test } from "vitest";
import { createLog } from "../src/log.ts";
import { Saver } from "../src/saver.ts";
import { ManualClock, settled } from "./manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const told: string[] = [];
  const state = {
    changed: false,
    looks: 0,
    saves: 0,
    cost: 0,
    fault: undefined as Error | undefined,
  };
  const saver = new Saver({
    clock,
    log: createLog(clock, (line) => void told.push(line)),
    changed: () => {
      state.looks++;
      return state.changed;
    },
    save: async () => {
      state.saves++;
      if (state.cost > 0) {
        await new Promise<void>((resolve) => {
          clock.after(state.cost, resolve);
        });
      }
      if (state.fault !== undefined) throw state.fault;
      state.changed = false;
    },
  });
  return { clock, told, state, saver };
}

test("saves within a second of a change, and not without one", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  await clock.pass(10_000, 1000);
  expect(state.saves).toBe(0);
  state.changed = true;
  saver.ask();
  saver.ask();
  await clock.pass(1000);
  expect(state.saves).toBe(1);
  await clock.pass(10_000, 1000);
  expect([state.saves, clock.armed]).toEqual([1, 1]);
});

test("looks seldom when nothing has changed and nobody asks", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  await clock.pass(1000);
  const { looks } = state;
  await clock.pass(10_000, 1000);
  expect(state.looks - looks).toBe(2);
  state.changed = true;
  await clock.pass(5000, 1000);
  expect(state.saves).toBe(1);
});

test("takes at most a fiftieth of the time", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  state.cost = 200;
  for (let ms = 0; ms < 102_000; ms += 100) {
    state.changed = true;
    await clock.pass(100);
  }
  expect(state.saves).toBe(10);
});

test("tries again each second, tells once a minute, and tells when it is over", async () => {
  const { clock, told, state, saver } = setup();
  saver.start();
  state.changed = true;
  state.fault = new Error("disk full");
  await clock.pass(61_000, 1000);
  expect(state.saves).toBe(61);
  expect(told).toEqual(
    Array(2).fill('error: state not saved, a restart would forget reason="disk full"\n'),
  );
  state.fault = undefined;
  await clock.pass(1000);
  expect(told.at(-1)).toBe("state saved again\n");
});

test("stops, and a last save waits for the one under way", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  state.changed = true;
  state.cost = 50;
  await clock.pass(1000);
  const last = saver.save();
  await clock.pass(200, 50);
  await last;
  saver.stop();
  expect([state.saves, clock.armed]).toEqual([2, 0]);
  state.fault = new Error("disk full");
  state.cost = 0;
  await expect(saver.save()).rejects.toThrow("disk full");
});

test("insists on a full disk, and on nothing that waiting would not change", async () => {
  const { clock, told, state, saver } = setup();
  state.fault = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
    errno: -28,
  });
  const insisting = saver.insist();
  await settled();
  await clock.pass(3000, 1000);
  expect(state.saves).toBe(4);
  expect(told).toHaveLength(1);
  state.fault = undefined;
  await clock.pass(1000);
  await insisting;
  state.fault = Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" });
  await expect(saver.insist()).rejects.toThrow("EACCES");
});

test("a save that hangs shows in its heart, and ends the last one after some seconds", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  expect(saver.beat).toBe(Infinity);
  state.cost = Infinity;
  state.changed = true;
  await clock.pass(1000);
  const began = clock.monotonic();
  await clock.pass(60_000, 1000);
  expect([saver.beat, state.saves]).toEqual([began, 1]);
  saver.stop();
  const last = expect(saver.saveAtLast()).rejects.toThrow("the disk hangs");
  await clock.pass(5000);
  await last;
});

test("a last save that was given up does not begin when the disk goes on: another popgate may have the state", async () => {
  const clock = new ManualClock();
  let saves = 0;
  let goOn = () => {};
  const save = () => {
    saves++;
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  const saver = new Saver({ clock, log: createLog(clock, () => {}), changed: () => true, save });
  void saver.save();
  const last = expect(saver.saveAtLast()).rejects.toThrow("the disk hangs");
  await clock.pass(5000);
  await last;
  goOn();
  await settled();
  expect(saves).toBe(1);
});

test("a save that took minutes puts the next one off by one minute", async () => {
  const { clock, state, saver } = setup();
  saver.start();
  state.cost = 120_000;
  state.changed = true;
  await clock.pass(125_000, 1000);
  const { saves } = state;
  state.cost = 0;
  state.changed = true;
  await clock.pass(62_000, 1000);
  expect(state.saves).toBe(saves + 1);
});
