/** A daemon that popgate does not know: from a pattern in the config to a grant, and what is told of one that is wrong. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { match } from "../../src/commands/match.ts";
import { run } from "../../src/commands/run.ts";
import { withdraw } from "../../src/commands/withdraw.ts";
import { exit } from "../../src/errors.ts";
import { GatheringOutside } from "../outside.ts";
import { until } from "../until.ts";

// The checker takes seconds for each pattern.
vi.setConfig({ testTimeout: 120_000 });

let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(homedir(), ".popgate-own-"));
  outside = new GatheringOutside();
});

afterEach(() => rmSync(directory, { recursive: true }));

const genuine = String.raw`^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$`;
const quadratic = String.raw`^user (?<user>.*) logged in from (?:.*)\[(?<client>[^\]]+)\]$`;

function adapter(pattern: string): string {
  const prefix = "Nov 23 06:31:08 mx acme-popd[7]: ";
  return `[[adapter]]
name = "acme"
programs = ["acme-popd"]
service = "pop3"
pattern = '${pattern}'
must_match = ["${prefix}user ann logged in from [192.0.2.7]"]
must_not_match = ["${prefix}user ann failed from [192.0.2.7]"]
`;
}

function configure(text: string): string {
  const file = join(directory, "popgate.toml");
  const source = `[[source]]\npath = "${directory}/mail.log"\n`;
  const map = `[[map]]\nmta = "exim"\ntable = "${directory}/relay"\n`;
  writeFileSync(file, `state_dir = "${directory}/state"\n${source}${map}${text}`);
  return file;
}

function log(text: string, at = new Date()): void {
  const line = `${at.toISOString()} mx acme-popd[7]: ${text}\n`;
  appendFileSync(join(directory, "mail.log"), line);
}

function clients(): string[] {
  return readFileSync(join(directory, "relay"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test("run grants by it, and a reload takes another one, or refuses it and goes on", async () => {
  const config = configure(adapter(genuine));
  writeFileSync(join(directory, "mail.log"), "");
  const ended = run({ config }, outside);
  await until("it to be ready", () => outside.told.includes("ready"), 60_000);
  log("user ann logged in from [192.0.2.7]");
  await until("the client", () => clients().includes("192.0.2.7"));
  expect(outside.told).toContain("service=pop3 adapter=acme");

  configure(adapter(quadratic));
  outside.reload();
  await until("the refusal", () => outside.told.includes("reload refused"), 60_000);
  expect(outside.told).toContain("adapter[0].pattern: a hostile line makes it work too long");

  configure(adapter(String.raw`^user (?<user>[a-z]+) logged in from \[(?<client>[^\]]+)\]$`));
  outside.reload();
  await until("the reload", () => outside.told.includes("reloaded"), 60_000);
  log("user bob7 logged in from [192.0.2.8]");
  log("user bob logged in from [192.0.2.9]");
  await until("the next client", () => clients().includes("192.0.2.9"));
  expect(clients()).toEqual(["192.0.2.7", "192.0.2.9"]);
  outside.stop();
  expect(await ended).toBe(exit.ok);
});

test("run refuses a config whose adapters are at fault, with all of it; the tables can be emptied all the same", async () => {
  const other = adapter("^(").replace('"acme"', '"other"');
  const config = configure(adapter(quadratic) + other);
  await expect(run({ config }, outside)).rejects.toMatchObject({
    exitCode: exit.config,
    faults: [
      "adapter[1].pattern: is not a regular expression: Unterminated group",
      expect.stringMatching(/^adapter\[0\]\.pattern: a hostile line makes it work too long/),
    ],
  });
  expect(await withdraw({ config }, outside)).toBe(exit.ok);
});

test("match tries it before it goes live", async () => {
  const pattern = join(directory, "acme.toml");
  writeFileSync(pattern, adapter(genuine));
  log("user ann logged in from [192.0.2.7]", new Date(Date.now() - 1000));
  const file = join(directory, "mail.log");
  expect(await match([file], { count: true }, outside)).toBe(exit.ok);
  expect(await match([file], { count: true, pattern }, outside)).toBe(exit.ok);
  expect(await match([file], { count: true, pattern, adapter: ["acme"] }, outside)).toBe(exit.ok);
  expect(await match([file], { count: true, pattern, adapter: ["uw"] }, outside)).toBe(exit.ok);
  expect(
    outside.printed
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([0, 1, 1, 0].map((count) => ({ lines: 1, logins: count, clients: count })));
});

test.each([
  ["[[adaptor]]", exit.config, "/acme.toml: adapter: is missing"],
  ["adapter = ", exit.config, /\/acme\.toml:1:1\d: not TOML: /],
  [adapter("^("), exit.config, "/acme.toml: adapter[0].pattern: is not a regular expression"],
  [adapter(genuine).replace("acme", "uw"), exit.config, 'adapter[0].name: "uw" is built in'],
  [undefined, exit.noInput, "/acme.toml: no such file"],
])("match says what is wrong with the file %j", async (text, exitCode, message) => {
  const pattern = join(directory, "acme.toml");
  if (text !== undefined) writeFileSync(pattern, text);
  await expect(match([], { pattern }, outside)).rejects.toMatchObject({
    exitCode,
    message:
      typeof message === "string"
        ? expect.stringContaining(message)
        : expect.stringMatching(message),
  });
});
