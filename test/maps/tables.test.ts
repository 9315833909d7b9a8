import {
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { exit } from "../../src/errors.ts";
import { checkMaps } from "../../src/maps/check.ts";
import { emptyTables } from "../../src/maps/emptying.ts";
import { createMap } from "../../src/maps/index.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import { Tables } from "../../src/maps/tables.ts";
import { inTurn } from "../../src/maps/turns.ts";
import { run } from "../../src/run.ts";
import type { Client } from "../../src/client.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { alice, bench, bob, keysIn, rejection, type Bench } from "./writer-bench.ts";

function tablesOf(clients: () => Iterable<Client>) {
  const clock = new ManualClock();
  const told: string[] = [];
  const tell = (event: string) => void told.push(event);
  let forgotten = 0;
  const tables = new Tables({
    clock,
    log: { info: tell, warning: tell, error: tell },
    run,
    clients,
    mostAhead: () => 180_000,
    failOpenLimit: () => 60_000,
    forgotten: () => void forgotten++,
  });
  return { tables, clock, told, forgotten: () => forgotten };
}

/** Moves the clock until the work is over, and gives what it threw. */
async function thrownBy(clock: ManualClock, work: Promise<unknown>): Promise<unknown> {
  let over = false;
  const outcome = work
    .then(
      () => undefined,
      (error: unknown) => error,
    )
    .finally(() => {
      over = true;
    });
  await until("the end of the work", async () => {
    await clock.pass(25);
    return over;
  });
  return outcome;
}

function keysOf({ files }: Bench): string[] | undefined {
  return files()["relay.db"];
}

test("what is no longer configured is emptied before the others are filled, and then forgotten", async () => {
  const [first, second] = [bench(), bench()];
  await first.writer().write([alice]);
  const { tables, forgotten, told } = tablesOf(() => [bob]);
  tables.configure([second.map], [first.map.settings]);
  expect(tables.remembered).toEqual([first.map.settings, second.map.settings]);
  await tables.publish();
  expect([keysOf(first), keysOf(second)]).toEqual([[], [bob]]);
  expect([forgotten(), tables.remembered]).toEqual([1, [second.map.settings]]);
  expect(told).toEqual(["table emptied, no longer configured"]);
  await tables.published();
});

test("one table that fails does not keep the others back", async () => {
  const [broken, fine] = [bench(), bench()];
  broken.use("fails");
  const { tables } = tablesOf(() => [alice]);
  tables.configure([broken.map, fine.map], []);
  await expect(tables.publish()).rejects.toEqual(rejection(exit.tempFail, /./));
  expect([keysOf(broken), keysOf(fine)]).toEqual([undefined, [alice]]);
});

test("where the directory of a former table is gone, nothing is left to empty", async () => {
  const gone = bench();
  const { tables } = tablesOf(() => []);
  tables.configure([], [gone.map.settings]);
  rmSync(dirname(gone.map.source), { recursive: true });
  await tables.publish();
  expect(tables.remembered).toEqual([]);
});

test("a table that is configured again is no orphan any more", async () => {
  const one = bench();
  const { tables } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  one.use("fails");
  tables.configure([], []);
  await tables.publish().catch(() => {});
  expect(tables.remembered).toEqual([one.map.settings]);
  one.use("works");
  tables.configure([one.map], []);
  await tables.publish();
  expect(keysOf(one)).toEqual([alice]);
});

test("a write that is under way does not fill a table again that was just emptied", async () => {
  const one = bench();
  const { tables } = tablesOf(() => [alice]);
  for (let round = 0; round < 10; round++) {
    tables.configure([one.map], []);
    const filling = tables.publish();
    tables.configure([], []);
    await tables.publish();
    await filling;
    expect([keysOf(one), tables.remembered]).toEqual([[], []]);
  }
});

test.each(["fails", "hangs"] as const)(
  "a stop whose tool %s takes the last resort, and tells it",
  async (behaviour) => {
    const one = bench();
    let clients = [alice];
    const { tables, clock, told } = tablesOf(() => clients);
    tables.configure([one.map], []);
    await tables.publish();
    one.use(behaviour);
    clients = [];
    expect(await thrownBy(clock, tables.stop())).toBeUndefined();
    expect(one.files()).toMatchObject({ relay: [], "relay.db": [] });
    expect(told.at(-1)).toBe("map emptied by the last resort");
  },
);

test.each([
  ["fails", /; and the last resort failed: no empty map is prepared/],
  ["hangs", /its tool hangs; and the last resort failed/],
] as const)(
  "a stop whose tool %s and that has no empty map tells what stays open",
  async (behaviour, says) => {
    const one = bench();
    let clients = [alice];
    const { tables, clock } = tablesOf(() => clients);
    tables.configure([one.map], []);
    await tables.publish();
    one.loseSpare();
    one.use(behaviour);
    clients = [];
    expect(await thrownBy(clock, tables.stop())).toEqual(rejection(exit.tempFail, says));
    expect(keysOf(one)).toEqual([alice]);
  },
);

test("a hard link to a table is seen between two writes, and is no fault while one is under way", async () => {
  const one = bench("postfix", "lmdb");
  let clients = [alice];
  const { tables, told } = tablesOf(() => clients);
  tables.configure([one.map], []);
  await tables.publish();
  const started = join(one.directory, "..", "started");
  one.use("late");
  clients = [bob];
  const write = tables.publish();
  await until("the tool", () => existsSync(started));
  tables.restore();
  expect(tables.health()[0]?.unseen).toBeUndefined();
  rmSync(started);
  await write;
  linkSync(`${one.map.source}.lmdb`, `${one.map.source}.backup`);
  tables.restore();
  expect(tables.health()[0]?.unseen).toMatch(/hard-linked/);
  expect(told).toEqual(["changes are not seen"]);
});

test("a table of another type in the same file is not overwritten by the late emptying of the former", async () => {
  const [one, other] = [bench(), bench()];
  const table = `btree:${one.map.source}`;
  const btree = createMap({ ...other.map.settings, table });
  const { tables, clock } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  one.use("fails");
  tables.configure([btree], []);
  await tables.publish().catch(() => {});
  one.use("works");
  await until("the end of the former", async () => {
    await clock.pass(25);
    return tables.remembered.length === 1;
  });
  expect(tables.remembered).toEqual([btree.settings]);
  expect(keysOf(one)).toEqual([alice]);
});

test("nor by one that waits for its turn while that other table is written", async () => {
  const [one, other] = [bench(), bench()];
  const btree = createMap({ ...other.map.settings, table: `btree:${one.map.source}` });
  const { tables, clock } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  one.use("fails");
  other.use("late");
  tables.configure([btree], []);
  const started = join(other.directory, "..", "started");
  const published = tables.publish().catch(() => {});
  await until("the other's tool", () => existsSync(started));
  one.use("works");
  await clock.pass(1500, 250);
  await until("its end", () => {
    rmSync(started, { force: true });
    return tables.remembered.length === 1;
  });
  await published;
  await inTurn(one.map.source, run, () => Promise.resolve());
  expect(keysIn(`${one.map.source}.db`)).toEqual([alice]);
});

test("a last resort that a failed write undid is taken again", async () => {
  const one = bench("postfix", "lmdb");
  let clients = [alice];
  const { tables, clock } = tablesOf(() => clients);
  const become = (what: string, keys: Client[]) =>
    until(what, async () => {
      await clock.pass(250);
      return String(keysIn(`${one.map.source}.lmdb`)) === String(keys);
    });
  tables.configure([one.map], []);
  await tables.publish();
  one.use("fails");
  clients = [bob];
  tables.request("removal");
  await become("the last resort", []);
  one.use("failsFull");
  await become("a write that fails too late", [bob]);
  one.use("fails");
  await become("another last resort", []);
});

test("a table that was replaced by another file is written again", async () => {
  const one = bench();
  const { tables, clock, told } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  const index = `${one.map.source}.db`;
  writeFileSync(`${index}.theirs`, `${bob}\tOK\n`);
  renameSync(`${index}.theirs`, index);
  tables.restore();
  expect(told).toEqual(["table was replaced, it is written again"]);
  await until("the table", async () => {
    await clock.pass(25);
    return String(keysIn(index)) === alice;
  });
});

test.each<[string, (directory: string) => void]>([
  ["a link to itself", (directory) => symlinkSync(directory, directory)],
  ["a file", (directory) => writeFileSync(directory, "")],
])("a table whose directory has become %s is taken for gone", async (_, put) => {
  const one = bench();
  const { tables, told } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  rmSync(one.directory, { recursive: true });
  put(one.directory);
  tables.restore();
  expect(told).toEqual(["table is gone, it is written again"]);
});

test("a table that cannot be written says so in its health", async () => {
  const one = bench();
  const { tables, clock } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  one.use("fails");
  await tables.publish().catch(() => {});
  const since = Math.round(clock.now());
  expect(tables.health()[0]?.trouble).toEqual({
    since,
    overdue: since,
    emptied: false,
    reason: expect.stringMatching(/No space left/),
  });
});

test("a config that says the same again leaves its tables alone", async () => {
  const one = bench();
  const { tables } = tablesOf(() => [alice]);
  tables.configure([one.map], []);
  await tables.publish();
  one.use("fails");
  tables.configure([createMap(one.map.settings)], []);
  await tables.publish();
});

test("a client that a table leaves out is known", () => {
  const one = bench();
  const { tables } = tablesOf(() => []);
  tables.configure([one.map], []);
  expect(tables.leavingOut("2a00::5" as Client, [])).toEqual([one.map.name]);
  expect(tables.leavingOut(alice, [])).toEqual([]);
});

test("all faults of all maps are told at once; what may pass is no fault", async () => {
  const [first, second, passing] = [bench(), bench(), bench()];
  const log = { info() {}, warning() {}, error() {} };
  writeFileSync(first.map.source, "theirs");
  rmSync(dirname(second.map.source), { recursive: true });
  passing.use("fails");
  await expect(checkMaps([first.map, second.map, passing.map], run, log)).rejects.toMatchObject({
    exitCode: exit.config,
    message: expect.stringMatching(/was not written by popgate.*\n.*no such file/),
  });
  await checkMaps([passing.map], run, log);
});

describe("emptying without a daemon", () => {
  const log = { info() {}, warning() {}, error() {} };

  test("by another tool than the one that filled it, and that is missing: the last resort does it", async () => {
    const one = bench();
    await one.writer().write([alice]);
    const settings = { ...one.map.settings, tool: `${one.directory}/none` };
    expect(await emptyTables([settings], { clock: new ManualClock(), run, log })).toEqual({
      failures: [],
      tables: [settings],
    });
    expect(one.files()).toMatchObject({ relay: [], "relay.db": [] });
  });

  test("tells of one that another popgate wrote, empties the others, and forgets it once it is gone", async () => {
    const one = bench();
    await one.writer().write([alice]);
    const foreign = { mta: "haraka", table: `redis:${one.directory}/former` } as unknown;
    const settings = [one.map.settings, foreign as MapSettings];
    writeFileSync(`${one.directory}/former.idx`, "");
    const empty = () => emptyTables(settings, { clock: new ManualClock(), run, log });
    expect(await empty()).toEqual({
      failures: [rejection(exit.cannotCreate, /another one wrote for haraka; take it out of/)],
      tables: settings,
    });
    expect(one.files()).toMatchObject({ relay: [], "relay.db": [] });
    rmSync(`${one.directory}/former.idx`);
    expect(await empty()).toEqual({ failures: [], tables: [one.map.settings] });
  });

  test("gives what kept a table from it", async () => {
    const [fine, broken] = [bench(), bench()];
    await fine.writer().write([alice]);
    broken.use("fails");
    const clock = new ManualClock();
    const settings = [fine.map.settings, broken.map.settings];
    const { failures, tables } = await emptyTables(settings, { clock, run, log });
    expect(tables).toEqual(settings);
    expect(failures).toEqual([rejection(exit.tempFail, /relay/)]);
    expect(keysOf(fine)).toEqual([]);
    expect(readFileSync(fine.map.source, "utf8")).toMatch(/^# popgate/);
  });

  test.each(["fails", "hangs", "missing"] as const)(
    "by a tool that %s: the last resort does it",
    async (behaviour) => {
      const one = bench();
      await one.writer().write([alice]);
      if (behaviour === "missing") rmSync(one.map.settings.tool ?? "");
      else one.use(behaviour);
      const clock = new ManualClock();
      const emptying = emptyTables([one.map.settings], { clock, run, log });
      expect(await thrownBy(clock, emptying)).toBeUndefined();
      expect(await emptying).toMatchObject({ failures: [] });
      expect(one.files()).toMatchObject({ relay: [], "relay.db": [] });
    },
  );
});
