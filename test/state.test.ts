import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Client } from "../src/client.ts";
import { createLog } from "../src/log.ts";
import { loadState, readState, saveState } from "../src/state.ts";
import type { State } from "../src/state-text.ts";
import { ManualClock } from "./manual-clock.ts";

const clock = new ManualClock();
const state: State = {
  saved: clock.now(),
  forgotten: clock.now() - 1000,
  revocations: [
    { client: "192.0.2.99" as Client, until: clock.now() + 1000, why: 'a "botnet"' },
    { user: "bob", until: clock.now() + 2000, why: "" },
  ],
  checkpoints: { "/var/log/mail.log": [{ dev: 1, ino: 2, offset: 3, anchor: "YQ==", head: "" }] },
  open: {
    "/var/log/mail.log": [
      { key: "popa3d mx popa3d 7", client: "192.0.2.7" as Client, at: clock.now() - 1000 },
    ],
  },
  sources: [
    {
      name: "/var/log/mail.log",
      position: "3",
      lag_bytes: 0,
      lag_seconds: 0,
      lines: 7,
      rotations: 1,
      dropped: { too_long: 1, unterminated: 0, untrusted: 0 },
      gaps: 0,
    },
  ],
  tables: [{ mta: "postfix", table: "lmdb:/var/lib/popgate/relay" }],
  grants: Array.from({ length: 1200 }, (_, n) => ({
    client: `192.0.${String(n >> 8)}.${String(n & 255)}` as Client,
    user: 'a "quoted"\nline \u2028 ü',
    service: "imap",
    adapter: "dovecot",
    granted: clock.now() - 5,
    renewed: clock.now(),
    expires: clock.now() + 1_800_000 + n,
    ...(n % 2 === 0 ? { source: "/var/log/mail.log", offset: n } : {}),
    ...(n === 7 ? { why: "a scanner" } : {}),
  })),
};

let directory: string;
let file: string;
let told: string[];
const log = createLog(clock, (line) => void told.push(line));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-state-"));
  file = join(directory, "state.jsonl");
  told = [];
});

afterEach(() => rmSync(directory, { recursive: true }));

test("comes back as it was saved, mode 0600, and leaves nothing beside it", async () => {
  writeFileSync(`${file}.new`, "left by a crash");
  await saveState(directory, state);
  expect(await loadState(directory, clock, log)).toEqual(state);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["state.jsonl"]);
  await saveState(directory, { ...state, grants: [] });
  expect((await readState(directory)).grants).toEqual([]);
});

test.each([
  ["logins of two lines has none that is open", "open", {}],
  ["revocations has none", "revocations", []],
] as const)("a state of before there were %s", async (_, key, none) => {
  await saveState(directory, state);
  const [header = "", ...rest] = readFileSync(file, "utf8").split("\n");
  const { [key]: __, ...former } = JSON.parse(header) as Record<string, unknown>;
  writeFileSync(file, [JSON.stringify(former), ...rest].join("\n"));
  expect(await readState(directory)).toEqual({ ...state, [key]: none });
});

test("a missing state is empty", async () => {
  expect(await loadState(directory, clock, log)).toMatchObject({
    grants: [],
    tables: [],
    forgotten: 0,
  });
  expect(told).toEqual([]);
});

describe("a damaged state is set aside, and only what restricts is taken from it", () => {
  const damages: readonly [what: string, damage: (text: string) => string, header: boolean][] = [
    ["empty", () => "", false],
    ["cut in the middle of a line", (text) => text.slice(0, -10), true],
    ["cut after a whole line", (text) => `${text.split("\n").slice(0, 100).join("\n")}\n`, true],
    ["a line gone from the middle", (text) => text.split("\n").toSpliced(5, 1).join("\n"), true],
    [
      "a line there twice",
      (text) =>
        text
          .split("\n")
          .toSpliced(5, 0, text.split("\n")[5] ?? "")
          .join("\n"),
      true,
    ],
    ["a client that is none", (text) => text.replace("192.0.0.7", "192.0.0"), true],
    ["a client in another spelling", (text) => text.replace("192.0.0.7", "::ffff:192.0.0.7"), true],
    ["a key too many", (text) => text.replace('"granted"', '"more":1,"granted"'), true],
    ["a later version", (text) => text.replace('"popgate":1', '"popgate":2'), true],
    ["another program's", () => '{"hello":"world"}\n', false],
    ["bytes", () => "\u0000\u0001\u0002\n", false],
  ];

  test.each(damages)("%s", async (_, damage, header) => {
    await saveState(directory, state);
    writeFileSync(file, damage(readFileSync(file, "utf8")));
    const loaded = await loadState(directory, clock, log);
    expect(loaded.grants).toEqual([]);
    expect(loaded.checkpoints).toEqual({});
    expect(loaded.tables).toEqual(header ? state.tables : []);
    expect(loaded.forgotten).toBe(header ? state.forgotten : 0);
    expect(loaded.revocations).toEqual(header ? state.revocations : []);
    expect(readdirSync(directory)).toEqual([
      "state.jsonl",
      "state.jsonl.damaged-2026-11-23T06-00-00-000Z",
    ]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^warning: state damaged, set aside/);
  });
});

test("a save that fails leaves the old state", async () => {
  await saveState(directory, state);
  const broken = { ...state, grants: [{ ...state.grants[0], expires: Number.NaN }] } as State;
  await expect(saveState(directory, broken)).rejects.toThrow();
  expect(await readState(directory)).toEqual(state);
  expect(readdirSync(directory)).toEqual(["state.jsonl"]);
});

describe("a table of a later version stays remembered as it is", () => {
  const later = { mta: "haraka", table: "redis:/x", style: "new", weight: [7] };
  const tables = [...state.tables, later] as unknown as State["tables"];

  test("in a state of this version, and in the next", async () => {
    await saveState(directory, { ...state, tables });
    const loaded = await loadState(directory, clock, log);
    expect([loaded.tables, loaded.grants.length, told]).toEqual([tables, 1200, []]);
    await saveState(directory, loaded);
    expect((await readState(directory)).tables).toEqual(tables);
  });

  test("in a state of the later version; what cannot be remembered is told", async () => {
    await saveState(directory, { ...state, tables: [...tables, "relay"] as never });
    writeFileSync(file, readFileSync(file, "utf8").replace('"popgate":1', '"popgate":2,"more":[]'));
    expect((await loadState(directory, clock, log)).tables).toEqual(tables);
    expect(told[1]).toMatch(/^error: a former table is not known any more table="\\"relay\\""/);
  });
});
