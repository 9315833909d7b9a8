/** What `popgate run` writes into its audit, and what becomes of it when the file is not there. */
import fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordedOf, type Recorded } from "../../src/audit/line.ts";
import { run } from "../../src/commands/run.ts";
import { status } from "../../src/commands/status.ts";
import { withdraw } from "../../src/commands/withdraw.ts";
import { exit } from "../../src/errors.ts";
import { GatheringOutside } from "../outside.ts";
import { until } from "../until.ts";

let directory: string;
let outside: GatheringOutside;
let ended: Promise<unknown> | undefined;

beforeEach(() => {
  directory = fs.mkdtempSync(join(homedir(), ".popgate-audit-"));
  outside = new GatheringOutside();
  fs.mkdirSync(inside("log"));
  fs.writeFileSync(inside("mail.log"), "");
});

afterEach(async () => {
  outside.stop();
  await ended?.catch(() => {});
  fs.rmSync(directory, { recursive: true });
});

const inside = (name: string) => join(directory, name);

function config(audit = inside("log/audit.log")): string {
  const text = [
    `state_dir = "${inside("state")}"\naudit = "${audit}"`,
    `[[source]]\npath = "${inside("mail.log")}"`,
    `[[map]]\nmta = "exim"\ntable = "${inside("relay")}"`,
  ].join("\n");
  fs.writeFileSync(inside("popgate.toml"), text);
  return inside("popgate.toml");
}

async function started(): Promise<void> {
  ended = run({ config: config() }, outside);
  await until("it to be ready", () => /^ready/m.test(outside.told));
}

async function stopped(): Promise<void> {
  outside.stop();
  expect(await ended).toBe(exit.ok);
}

function login(client: string): void {
  const at = new Date().toISOString();
  const line = `${at} mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>\n`;
  fs.appendFileSync(inside("mail.log"), line);
}

function recorded(name = "log/audit.log"): readonly Recorded[] {
  if (!fs.existsSync(inside(name))) return [];
  const lines = fs.readFileSync(inside(name), "utf8").split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => recordedOf(line) ?? expect.fail(`not a line of an audit: ${line}`));
}

const events = (name?: string) => recorded(name).map(({ event }) => event);
const has = (event: string, name?: string) =>
  until(`${event} in the audit`, () => (events(name) as string[]).includes(event));

test("each decision, from the start to the stop", async () => {
  await started();
  login("192.0.2.7");
  login("10.0.0.1");
  await has("refused");
  await withdraw({ config: config(), forget: true }, outside);
  await withdraw({ config: config() }, outside);
  outside.reload();
  await has("reloaded");
  await stopped();
  expect(events()).toEqual([
    "started",
    "granted",
    "refused",
    "forgotten",
    "withdrawn",
    "reloaded",
    "stopped",
  ]);
  const [, granted] = recorded();
  expect(granted).toMatchObject({
    client: "192.0.2.7",
    user: "ann",
    service: "imap",
    adapter: "dovecot",
    source: inside("mail.log"),
    offset: 0,
  });
  expect(fs.statSync(inside("log/audit.log")).mode & 0o777).toBe(0o640);
});

test("a HUP ends the file that was renamed, and begins the next, even if the config is wrong by then", async () => {
  await started();
  login("192.0.2.7");
  await has("granted");
  fs.renameSync(inside("log/audit.log"), inside("log/audit.log.1"));
  fs.appendFileSync(inside("popgate.toml"), "tll = 3\n");
  outside.reload();
  await until("the next file", () => fs.existsSync(inside("log/audit.log")));
  login("192.0.2.8");
  await has("granted");
  await stopped();
  expect(events("log/audit.log.1")).toEqual(["started", "granted"]);
  expect(events()).toEqual(["granted", "stopped"]);
});

test("a reload with another path goes on there", async () => {
  await started();
  await has("started");
  config(inside("log/other.log"));
  outside.reload();
  await has("reloaded");
  await until("the other file", () => fs.existsSync(inside("log/other.log")));
  login("192.0.2.7");
  await has("granted", "log/other.log");
  await stopped();
  expect(events()).toEqual(["started", "reloaded"]);
  expect(events("log/other.log")).toEqual(["granted", "stopped"]);
});

test("where its directory is gone, grants go on, the status says so, and it comes back with the directory", async () => {
  await started();
  await has("started");
  fs.rmSync(inside("log"), { recursive: true });
  login("192.0.2.7");
  await until("a grant", () => fs.readFileSync(inside("relay"), "utf8").includes("192.0.2.7"));
  await until("the complaint", () => /^error: audit not written/m.test(outside.told));
  outside.printed = "";
  expect(await status({ config: inside("popgate.toml") }, outside)).toBe(exit.no);
  expect(outside.printed).toMatch(/audit .*: not written since [^]*: no such file or directory/);
  fs.mkdirSync(inside("log"));
  await until("it to be back", () => /^warning: audit written again/m.test(outside.told));
  await stopped();
  expect(events()).toEqual(["granted", "stopped"]);
});

test("a directory that others can write to keeps nothing from starting", async () => {
  fs.chmodSync(inside("log"), 0o777);
  await started();
  await until("the complaint", () => /audit not written.*others can write/m.test(outside.told));
  await stopped();
  expect(outside.told).toMatch(/^error: audit not written to its end .*lost=2/m);
  expect(fs.readdirSync(inside("log"))).toEqual([]);
});
