/** When a map is published, tried again, and told. */
import { describe, expect, test } from "vitest";
import { settled } from "../manual-clock.ts";
import { Bench, times } from "./publisher-bench.ts";

test("its heart stands still while a write is under way", async () => {
  const bench = new Bench();
  bench.cost = 5000;
  expect(bench.publisher.beat).toBe(Infinity);
  bench.change("addition");
  const began = bench.clock.monotonic();
  await bench.pass(4000, 100);
  expect(bench.publisher.beat).toBe(began);
  await bench.pass(2000, 100);
  expect(bench.publisher.beat).toBe(Infinity);
});

describe("pace", () => {
  test("at once after quiet, and all that was asked for in one turn together", async () => {
    const bench = new Bench();
    for (let turn = 0; turn < 100; turn++) bench.change("addition");
    await settled();
    expect(bench.written).toEqual([{ at: 0, clients: bench.clients }]);
    expect(bench.clock.armed).toBe(0);
  });

  test("a burst: one write per 250 ms", async () => {
    const bench = new Bench();
    for (let turn = 0; turn < 100; turn++) {
      bench.change("addition");
      await bench.pass(10);
    }
    await bench.pass(1000, 10);
    expect(times(bench)).toEqual([0, 250, 500, 750, 1000]);
    expect(bench.written.at(-1)?.clients).toHaveLength(100);
    expect(bench.clock.armed).toBe(0);
  });

  test("10,000 logins in a second: a handful of writes", async () => {
    const bench = new Bench();
    bench.cost = 30;
    for (let ms = 0; ms < 1000; ms++) {
      for (let login = 0; login < 10; login++) bench.publisher.request("addition");
      await bench.clock.pass(1);
    }
    await bench.pass(1000, 10);
    expect(bench.attempts.length).toBeLessThanOrEqual(5);
    expect(bench.clock.armed).toBe(0);
  });

  test("a costly write: a tenth of the time", async () => {
    const bench = new Bench();
    bench.cost = 100;
    for (let turn = 0; turn < 300; turn++) {
      bench.change("addition");
      await bench.pass(10);
    }
    expect(bench.attempts).toEqual([0, 1000, 2000, 3000]);
  });

  test("a removal waits no longer than a second, whatever a write costs", async () => {
    const bench = new Bench();
    bench.cost = 600;
    bench.change("addition");
    bench.change("addition");
    await bench.pass(700, 10);
    bench.change("addition");
    await bench.pass(50, 10);
    bench.change("removal");
    bench.change("addition");
    await bench.pass(2000, 10);
    expect(bench.attempts).toEqual([0, 1000]);
    expect(bench.written.at(-1)?.clients).toEqual(bench.clients);
  });

  test("who ends before the next write could be due is left out where a write costs more than 100 ms", async () => {
    const bench = new Bench();
    bench.cost = 600;
    bench.change("addition");
    await bench.pass(100, 100);
    bench.publisher.request("renewal");
    for (let turn = 0; turn < 250; turn++) {
      bench.change("addition");
      bench.publisher.request("renewal");
      bench.publisher.request("expiry");
      await bench.pass(100, 100);
    }
    // The first one could not know; the second came as soon as a removal may wait, and knew.
    expect(bench.attempts).toEqual([0, 1000, 7000, 13_000, 19_000, 25_000]);
    expect(bench.aheads).toEqual([0, 5000, 5000, 5000, 5000, 5000]);
  });

  test("a removal each second is not held to a tenth of the time: whoever revokes wants it now", async () => {
    const bench = new Bench();
    bench.cost = 600;
    for (let turn = 0; turn < 50; turn++) {
      bench.change("removal");
      await bench.pass(100, 100);
    }
    expect(bench.attempts).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  });

  test("a renewal publishes nothing", async () => {
    const bench = new Bench();
    bench.cost = 90;
    bench.change("addition");
    await bench.pass(2000, 10);
    bench.publisher.request("renewal");
    await bench.pass(2000, 10);
    expect(bench.attempts).toEqual([0]);
  });

  test("but where it may have been left out, it comes back at the pace", async () => {
    const bench = new Bench();
    bench.cost = 600;
    bench.change("addition");
    await bench.pass(1000, 100);
    bench.change("addition");
    await bench.pass(5500, 100);
    bench.publisher.request("renewal");
    await bench.pass(6500, 100);
    expect(bench.attempts).toEqual([0, 6000, 12_000]);
  });

  test("what is asked for during a write is one write more, with the newest clients", async () => {
    const bench = new Bench();
    bench.cost = 50;
    bench.change("addition");
    await bench.pass(10);
    for (let turn = 0; turn < 5; turn++) bench.change("addition");
    bench.change("removal");
    await bench.pass(3000, 10);
    expect(bench.attempts).toEqual([0, 500]);
    expect(bench.written.at(-1)?.clients).toEqual(bench.clients);
  });

  test("no timer is trusted for longer than a few seconds", async () => {
    const bench = new Bench();
    bench.cost = 5000;
    bench.change("addition");
    await bench.pass(5000, 100);
    bench.change("addition");
    const armed: number[] = [];
    const after = bench.clock.after.bind(bench.clock);
    bench.clock.after = (ms, callback) => {
      armed.push(ms);
      return after(ms, callback);
    };
    bench.cost = 0;
    await bench.pass(60_000, 100);
    expect(bench.attempts).toEqual([0, 50_000]);
    expect(Math.max(...armed)).toBeLessThanOrEqual(2000);
  });
});

describe("a write that fails", () => {
  test("is tried every second, told when it starts, once a minute, and when it is over", async () => {
    const bench = new Bench();
    bench.failure = new Error("no space");
    bench.change("removal");
    await bench.pass(150_000, 500);
    expect(bench.publisher.trouble).toBeDefined();
    expect(bench.attempts).toEqual(Array.from({ length: 151 }, (_, second) => second * 1000));
    bench.failure = undefined;
    await bench.pass(1000, 500);
    expect(bench.publisher.trouble).toBeUndefined();
    const fields = (seconds: number, emptied: boolean) =>
      `{"table":"hash:/x/relay","reason":"no space","removal_waits":${String(!emptied)},"seconds":${String(seconds)}${emptied ? ',"emptied":true' : ""}}`;
    expect(bench.told).toEqual([
      `0 error map not written ${fields(0, false)}`,
      '60000 error map emptied: clients whose grants were over could not be taken out {"table":"hash:/x/relay","reason":"no space","seconds":60}',
      `60000 error map not written ${fields(60, true)}`,
      `120000 error map not written ${fields(120, true)}`,
      '151000 info map is written again {"table":"hash:/x/relay","seconds":151}',
    ]);
    expect(bench.clock.armed).toBe(0);
  });

  test("is not put off by additions, nor tried more often", async () => {
    const bench = new Bench();
    bench.failure = new Error("no space");
    bench.change("addition");
    await settled();
    bench.change("removal");
    for (let turn = 0; turn < 300; turn++) {
      bench.change("addition");
      await bench.pass(10);
    }
    expect(bench.attempts).toEqual([0, 1000, 2000, 3000]);
  });

  test("is a second after its end tried again, however long it took", async () => {
    const bench = new Bench();
    bench.cost = 30_000;
    bench.failure = new Error("took longer than 30 s");
    bench.change("removal");
    await bench.pass(62_000, 500);
    expect(bench.attempts).toEqual([0, 31_000, 62_000]);
  });

  test("of an addition alone is tried at the pace, but never more often than each second", async () => {
    const bench = new Bench();
    bench.cost = 300;
    bench.change("addition");
    await bench.pass(300, 100);
    bench.failure = new Error("no space");
    bench.change("addition");
    await bench.pass(9600, 100);
    expect(bench.attempts).toEqual([0, 3000, 6300, 9600]);
    bench.publisher.request("expiry");
    await bench.pass(2600, 100);
    expect(bench.attempts.slice(4)).toEqual([10_900, 12_200]);
    expect(bench.resorts).toEqual([]);
  });

  test("an addition alone waits, but the map holds nobody too many", async () => {
    const bench = new Bench();
    bench.failure = new Error("no space");
    bench.change("addition");
    await settled();
    expect(bench.told.join("")).toContain('"removal_waits":false');
  });

  test("clients that cannot be told are a failed write like any other", async () => {
    const bench = new Bench();
    Object.defineProperty(bench, "clients", {
      get: () => {
        throw new Error("a bug");
      },
    });
    bench.publisher.request("removal");
    await settled();
    expect(bench.publisher.trouble).toBeDefined();
    expect(bench.told.join("")).toContain("a bug");
  });
});

describe("the last resort", () => {
  const failing = new Error("no space");

  test("is taken when a client that is to leave has been in the map for the limit, and the map is tried again", async () => {
    const bench = new Bench();
    bench.failure = failing;
    bench.change("addition");
    await bench.pass(300_000, 500);
    expect(bench.resorts).toEqual([]);
    bench.change("expiry");
    await bench.pass(59_500, 500);
    const asked = bench.time - 59_500;
    expect(bench.publisher.trouble).toMatchObject({
      reason: "no space",
      overdue: bench.clock.now() - 59_500,
      emptied: false,
    });
    await bench.pass(500, 500);
    expect(bench.resorts).toEqual([asked + 60_000]);
    bench.change("expiry");
    await bench.pass(300_000, 500);
    expect(bench.resorts).toHaveLength(1);
    expect(bench.publisher.trouble).toMatchObject({ overdue: undefined, emptied: true });
    bench.failure = undefined;
    await bench.pass(1000, 500);
    expect(bench.written.at(-1)?.clients).toEqual(bench.clients);
    expect(bench.publisher.trouble).toBeUndefined();
    expect(bench.clock.armed).toBe(0);
  });

  test("is taken while a write hangs", async () => {
    const bench = new Bench();
    bench.cost = 500_000;
    bench.change("expiry");
    await bench.pass(59_000, 500);
    expect(bench.resorts).toEqual([]);
    expect(bench.publisher.trouble).toMatchObject({
      since: undefined,
      reason: "a write takes long",
    });
    await bench.pass(1000, 500);
    expect(bench.resorts).toEqual([60_000]);
    expect(bench.told.at(-1)).toMatch(/^60000 error map emptied.*a write hangs/);
  });

  test("counts from the first client that is to leave, however often it is tried and asked for", async () => {
    const bench = new Bench();
    bench.failure = failing;
    for (let second = 0; second < 61; second++) {
      bench.change("expiry");
      await bench.pass(1000, 250);
    }
    expect(bench.resorts).toEqual([60_000]);
  });

  test("is not taken if the client has left in time", async () => {
    const bench = new Bench();
    bench.failure = failing;
    bench.change("expiry");
    await bench.pass(58_500, 500);
    bench.failure = undefined;
    await bench.pass(500, 500);
    bench.failure = failing;
    bench.change("expiry");
    await bench.pass(59_500, 500);
    expect(bench.resorts).toEqual([]);
  });

  test("that fails is tried every second, and told once a minute", async () => {
    const bench = new Bench();
    bench.failure = failing;
    bench.resortFailure = new Error("read-only file system");
    bench.change("removal");
    await bench.pass(125_000, 500);
    expect(bench.resorts.length).toBeGreaterThan(60);
    const open = bench.told.filter((line) => line.includes("the relay stays open"));
    expect(open).toEqual([
      expect.stringMatching(/^60000 error .*read-only file system.*"seconds":60/),
      expect.stringMatching(/^120\d00 /),
    ]);
    expect(bench.publisher.trouble).toMatchObject({ emptied: false });
    bench.failure = undefined;
    await bench.pass(2000, 500);
    expect(bench.publisher.trouble).toBeUndefined();
    const resorts = bench.resorts.length;
    await bench.pass(10_000, 500);
    expect(bench.resorts).toHaveLength(resorts);
    expect(bench.clock.armed).toBe(0);
  });

  test("is followed by a write, even if the one that it overtook says that it ended well", async () => {
    const bench = new Bench();
    bench.cost = 70_000;
    bench.change("removal");
    await bench.pass(60_000, 500);
    expect(bench.resorts).toEqual([60_000]);
    bench.cost = 0;
    await bench.pass(800_000, 1000);
    expect(times(bench)).toHaveLength(2);
  });

  test("is taken again when a write that failed had put its map there", async () => {
    const bench = new Bench();
    bench.failure = failing;
    bench.change("removal");
    await bench.pass(60_000, 500);
    expect(bench.resorts).toEqual([60_000]);
    bench.empty = false;
    await bench.pass(2000, 500);
    expect(bench.publisher.trouble).toMatchObject({ emptied: false, overdue: expect.any(Number) });
    await bench.pass(60_000, 500);
    expect(bench.resorts).toHaveLength(2);
  });

  test.each<[string, (bench: Bench) => void]>([
    ["a stop", ({ publisher }) => publisher.stop()],
    ["a write that ended well", (bench) => (bench.failure = undefined)],
  ])("that fails after %s is not tried again", async (_, end) => {
    const bench = new Bench();
    bench.failure = failing;
    bench.resortFailure = new Error("read-only file system");
    bench.resortCost = 3000;
    bench.change("removal");
    await bench.pass(60_000, 500);
    expect(bench.resorts).toEqual([60_000]);
    end(bench);
    await bench.pass(10_000, 500);
    expect(bench.resorts).toEqual([60_000]);
    expect(bench.clock.armed).toBe(0);
  });

  test("is not taken any more after a stop", async () => {
    const bench = new Bench();
    bench.failure = failing;
    bench.change("removal");
    await settled();
    bench.publisher.stop();
    await bench.publisher.publish().catch(() => {});
    await bench.pass(100_000, 500);
    expect(bench.resorts).toEqual([]);
    expect(bench.clock.armed).toBe(0);
  });
});

describe("publish", () => {
  test("resolves when the clients of that moment are on disk, whatever the pace", async () => {
    const bench = new Bench();
    bench.change("addition");
    await settled();
    bench.change("addition");
    await bench.publisher.publish();
    expect(times(bench)).toEqual([0, 0]);
    expect(bench.written.at(-1)?.clients).toEqual(bench.clients);
    await bench.pass(5000, 50);
    expect(bench.written).toHaveLength(2);
  });

  test("waits for a write under way, which may hold older clients", async () => {
    const bench = new Bench();
    bench.cost = 50;
    bench.change("addition");
    await bench.pass(10);
    bench.clients = [];
    const published = Promise.all([bench.publisher.publish(), bench.publisher.publish()]);
    await bench.pass(200, 10);
    await published;
    expect(bench.written.map(({ clients }) => clients.length)).toEqual([1, 0]);
  });

  test("beside requests of the same turn: one write", async () => {
    const bench = new Bench();
    const published = bench.publisher.publish();
    bench.change("addition");
    await published;
    await bench.pass(1000, 50);
    expect(bench.written).toEqual([{ at: 0, clients: bench.clients }]);
  });

  test("one after the other: a write each", async () => {
    const bench = new Bench();
    await bench.publisher.publish();
    await bench.publisher.publish();
    expect(bench.written).toHaveLength(2);
  });

  test("rejects if the write failed, and goes on trying", async () => {
    const bench = new Bench();
    bench.failure = new Error("no space");
    await expect(bench.publisher.publish()).rejects.toThrow("no space");
    expect(bench.publisher.trouble).toBeDefined();
    bench.failure = undefined;
    await bench.pass(1000, 100);
    expect(times(bench)).toEqual([1000]);
    expect(bench.told.join("")).toContain('"removal_waits":true');
  });
});

describe("stop", () => {
  test("ends pace and retries; the last publish is still possible, and not tried again", async () => {
    const bench = new Bench();
    bench.change("addition");
    await settled();
    bench.change("addition");
    bench.publisher.stop();
    bench.publisher.request("removal");
    await bench.pass(5000, 100);
    expect(bench.written).toHaveLength(1);
    bench.clients = [];
    await bench.publisher.publish();
    expect(bench.written.at(-1)?.clients).toEqual([]);
    bench.failure = new Error("no space");
    await expect(bench.publisher.publish()).rejects.toThrow("no space");
    expect(bench.clock.armed).toBe(0);
  });

  test("settled waits for the write under way", async () => {
    const bench = new Bench();
    bench.cost = 50;
    bench.change("addition");
    bench.publisher.stop();
    let over = false;
    const waited = bench.publisher.settled().then(() => {
      over = true;
    });
    await bench.pass(40, 10);
    expect(over).toBe(false);
    await bench.pass(10);
    await waited;
    expect(bench.written).toHaveLength(1);
  });
});
