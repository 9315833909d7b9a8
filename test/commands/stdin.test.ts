/** A daemon in a pipe: `docker logs -f mail | popgate run`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../src/commands/run.ts";
import { exit } from "../../src/errors.ts";
import { GatheringOutside } from "../outside.ts";
import { until } from "../until.ts";

let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(homedir(), ".popgate-stdin-"));
  outside = new GatheringOutside();
});

afterEach(() => rmSync(directory, { recursive: true }));

function config(source: string): string {
  const file = join(directory, "popgate.toml");
  const map = `[[map]]\nmta = "exim"\ntable = "${directory}/relay"\n`;
  writeFileSync(file, `state_dir = "${directory}/state"\n${source}\n${map}`);
  return file;
}

function login(client: string, at = new Date()): string {
  return `dovecot-1  | ${at.toISOString()} mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>\n`;
}

function clients(): string[] {
  return readFileSync(join(directory, "relay"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test("grants what comes in, and ends cleanly when the pipe does", async () => {
  const ended = run({ config: config('[[source]]\ntype = "stdin"') }, outside);
  await until("it to be ready", () => outside.told.includes("ready"));
  outside.stdin.write(login("192.0.2.9", new Date(Date.now() - 3_600_000)));
  outside.stdin.write(login("192.0.2.7"));
  await until("the client in the table", () => clients().length > 0);
  expect(clients()).toEqual(["192.0.2.7"]);
  outside.stdin.end(login("192.0.2.8").trimEnd());
  expect(await ended).toBe(exit.ok);
  expect(clients()).toEqual([]);
  expect(outside.told).not.toContain("192.0.2.8");
  expect(outside.told.trimEnd().split("\n").slice(-3)).toEqual([
    "warning: line unterminated source=stdin dropped=1",
    "standard input has ended source=stdin position=306 lines=2 unterminated=1 gaps=0",
    "stopped, the tables are empty",
  ]);
});

test("a reload with other adapters loses nothing of it", async () => {
  const file = config('[[source]]\ntype = "stdin"');
  const ended = run({ config: file }, outside);
  await until("it to be ready", () => outside.told.includes("ready"));
  const line = login("192.0.2.7");
  outside.stdin.write(line.slice(0, 90));
  config('[[source]]\ntype = "stdin"\nadapters = ["dovecot"]');
  outside.reload();
  await until("the reload", () => outside.told.includes("reloaded"));
  outside.stdin.write(line.slice(90));
  await until("the client in the table", () => clients().length > 0);
  outside.stop();
  expect(await ended).toBe(exit.ok);
});
