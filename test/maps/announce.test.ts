/** An MTA that must be told: what counts as published when it hears, when it does not, and when nobody is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exit } from "../../src/errors.ts";
import { createMap } from "../../src/maps/index.ts";
import { Tables } from "../../src/maps/tables.ts";
import { MapWriter } from "../../src/maps/writer.ts";
import { run, type Outcome, type Run } from "../../src/run.ts";
import type { Client } from "../../src/client.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { temporaryDirectory } from "./fake-tool.ts";
import { alice, bob, rejection } from "./writer-bench.ts";

const answers = {
  hears: { ok: true, stdout: "command succeeded" },
  fails: { stdout: "command failed" },
  isDown: { stderr: "smtpctl: smtpd doesn't seem to be running" },
  refuses: { stderr: "smtpctl: need root privileges" },
  isMissing: { missing: true },
} satisfies Record<string, Partial<Outcome>>;

/** A file table, and an smtpd that reads it when it is told, unless it is told to do otherwise. */
function told(clients: () => Iterable<Client> = () => []) {
  const directory = temporaryDirectory();
  const map = createMap({ mta: "opensmtpd", table: `file:${directory}/relay` });
  const keys = () =>
    readFileSync(join(directory, "relay"), "utf8").split("\n").slice(2, -1).join(" ");
  const clock = new ManualClock();
  const lines: string[] = [];
  const tell = (event: string) => void lines.push(event);
  const log = { info: tell, warning: tell, error: tell };
  const bed = {
    smtpd: "hears" as keyof typeof answers,
    asked: 0,
    inMemory: "none",
    held: Promise.resolve(),
  };
  const fake: Run = async (argv, options) => {
    if (argv[0] !== "smtpctl") return run(argv, options);
    bed.asked += 1;
    await bed.held;
    if (bed.smtpd === "hears") bed.inMemory = keys();
    const silence = { ok: false, missing: false, stdout: "", stderr: "", reason: "exit status 1" };
    return { ...silence, ...answers[bed.smtpd] };
  };
  const writer = new MapWriter({ map, run: fake, log, clock });
  const limits = { mostAhead: () => 0, failOpenLimit: () => 60_000 };
  const tables = new Tables({ ...limits, clock, log, run: fake, clients, forgotten: () => {} });
  /** Lets time pass until the work is done. */
  const passed = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const settled = work.finally(() => {
      over = true;
    });
    settled.catch(() => {});
    await until("the end of the work", async () => {
      await clock.pass(25);
      return over;
    });
    return settled;
  };
  return { bed, map, writer, tables, keys, lines, clock, passed };
}

test("a last resort comes before what has not changed, while it is told again", async () => {
  const { bed, writer, keys, passed } = told();
  bed.smtpd = "isDown";
  await passed(writer.write([alice]));
  const { asked } = bed;
  let release = () => {};
  bed.held = new Promise((resolve) => (release = resolve));
  const write = writer.write([alice]);
  await until("the word", () => bed.asked > asked);
  const resort = writer.resort();
  await until("the last resort", () => keys() === "");
  release();
  await expect(passed(write)).rejects.toThrow(/the last resort came first/);
  await passed(resort);
});

test("it is told after the rename, and not of what has not changed", async () => {
  const { bed, writer, passed } = told();
  expect(await passed(writer.write([alice]))).toBe("written");
  expect(bed).toMatchObject({ asked: 1, inMemory: alice });
  expect(await passed(writer.write([alice]))).toBe("unchanged");
  expect(bed.asked).toBe(1);
  await passed(writer.write([]));
  expect(bed).toMatchObject({ asked: 2, inMemory: "" });
});

test.each([
  ["fails", exit.tempFail, /file:.*: smtpctl: command failed/],
  ["refuses", exit.config, /run popgate as root, or use a table db:/],
  ["isMissing", exit.config, /no program smtpctl/],
] as const)(
  "if it %s nothing counts as published: the same is written and told again",
  async (...[how, code, says]) => {
    const { bed, writer, keys, passed } = told();
    await passed(writer.write([alice]));
    bed.smtpd = how;
    await expect(passed(writer.write([]))).rejects.toEqual(rejection(code, says));
    await expect(passed(writer.write([]))).rejects.toEqual(rejection(code, says));
    expect([keys(), bed.inMemory]).toEqual(["", alice]);
    bed.smtpd = "hears";
    expect(await passed(writer.write([]))).toBe("written");
    expect(bed.inMemory).toBe("");
  },
);

test("that nobody is there is believed after a second, and is no failure", async () => {
  const { bed, writer, keys, lines, passed, clock } = told();
  bed.smtpd = "isDown";
  const start = clock.monotonic();
  expect(await passed(writer.write([alice]))).toBe("written");
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(1000);
  expect([keys(), bed.asked, writer.unheard]).toEqual([alice, 5, true]);
  expect(await passed(writer.write([alice]))).toBe("unchanged");
  expect(lines).toEqual(["nobody reads the table now"]);
  bed.smtpd = "hears";
  expect(await passed(writer.write([alice]))).toBe("unchanged");
  expect([bed.inMemory, writer.unheard]).toEqual([alice, false]);
  expect(lines).toEqual(["nobody reads the table now", "the table is read"]);
});

test("one that was just starting hears within that second", async () => {
  const { bed, writer, passed, clock } = told();
  bed.smtpd = "isDown";
  clock.after(600, () => void (bed.smtpd = "hears"));
  await passed(writer.write([alice]));
  expect([bed.inMemory, writer.unheard]).toEqual([alice, false]);
});

test("a check tells it once, and is content where nobody is there", async () => {
  const { bed, writer, passed } = told();
  bed.smtpd = "isDown";
  await passed(writer.check());
  expect(bed.asked).toBe(1);
  bed.smtpd = "refuses";
  await expect(passed(writer.check())).rejects.toEqual(rejection(exit.config, /root privileges/));
});

test("a table that nobody has heard of is published, told again, and does not hold up a stop", async () => {
  let clients: Client[] = [bob];
  const { bed, map, tables, passed, keys } = told(() => clients);
  tables.configure([map], []);
  bed.smtpd = "isDown";
  await passed(tables.publish());
  await tables.published();
  bed.smtpd = "hears";
  tables.restore();
  await until("the word", () => bed.inMemory === bob);
  bed.smtpd = "isDown";
  clients = [];
  await passed(tables.stop());
  expect(keys()).toBe("");
});

test("a former table is forgotten when it has been heard that it is empty", async () => {
  const { bed, map, tables, passed } = told();
  tables.configure([], [map.settings]);
  bed.smtpd = "isDown";
  await passed(tables.publish());
  expect(tables.remembered).toEqual([map.settings]);
  bed.smtpd = "hears";
  tables.restore();
  await until("the word", () => tables.remembered.length === 0);
  expect(bed.inMemory).toBe("");
});
