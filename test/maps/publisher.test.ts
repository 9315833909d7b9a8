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
    expect(bench.publisher.healthy).toBe(false);
    expect(bench.attempts).toEqual(Array.from({ length: 151 }, (_, second) => second * 1000));
    bench.failure = undefined;
    await bench.pass(1000, 500);
    expect(bench.publisher.healthy).toBe(true);
    const fields = (seconds: number) =>
      `{"table":"hash:/x/relay","reason":"no space","removal_waits":true,"seconds":${String(seconds)}}`;
    expect(bench.told).toEqual([
      `0 error map not written ${fields(0)}`,
      `60000 error map not written ${fields(60)}`,
      `120000 error map not written ${fields(120)}`,
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
    expect(bench.publisher.healthy).toBe(false);
    expect(bench.told.join("")).toContain("a bug");
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
    expect(bench.publisher.healthy).toBe(false);
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
