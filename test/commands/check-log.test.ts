/** What is said of a log by its last lines. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaultAdapters } from "../../src/adapters/index.ts";
import { inspectLogs } from "../../src/commands/check-log.ts";
import { lastLines } from "../../src/sources/last-lines.ts";
import type { FileSettings } from "../../src/sources/settings.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-check-log-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o640 });
  return path;
}

async function inspect(settings: Omit<FileSettings, "type">): Promise<string[]> {
  const outside = new GatheringOutside();
  outside.clock = new ManualClock("2026-11-23T23:00:00Z");
  const file = { type: "file", zone: "UTC", ...settings } as const;
  const findings = await inspectLogs(file, defaultAdapters, outside);
  return findings.map(({ kind, text }) => `${kind} ${text}`);
}

const login =
  "dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7\n";
const mixed = [
  `Nov 23 06:20:54 mx ${login}`,
  `2026-11-23T06:20:55+00:00 mx ${login}`,
  `<22>1 2026-11-23T06:20:56Z mx imapd - - - LOGIN, user=bob, ip=[192.0.2.8], port=[5]\n`,
  "Nov 23 06:20:57 imap-login: Info: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7\n",
  "anything else\n",
].join("");

test("what its lines begin with, and which logins are among them", async () => {
  expect(await inspect({ path: write("mail.log", mixed) })).toEqual([
    "fine readable",
    "note its last 5 lines by their beginning: syslog 2, rfc5424 1, dovecot 1, unknown 1",
    "note logins among them: dovecot 3, courier 1",
  ]);
});

test.each<[string, string, Partial<FileSettings>, readonly string[]]>([
  ["an empty log", "", {}, ["fine readable"]],
  [
    "a log without logins",
    "Nov 23 06:20:54 mx postfix/smtpd[1]: connect from x[192.0.2.9]\n",
    {},
    [
      "fine readable",
      "note its last 1 line by their beginning: syslog 1",
      "note no login is among them; `popgate match` tells which lines are nearly one",
    ],
  ],
  [
    "something else",
    "a\nb\n",
    {},
    ["fine readable", "todo none of its last 2 lines begins like a log that popgate knows"],
  ],
  [
    "another format than the one that is pinned",
    `Nov 23 06:20:54 mx ${login}`,
    { format: "rfc5424" },
    ["fine readable", 'todo none of its last 1 line begins like the format "rfc5424"'],
  ],
])("%s", async (_, text, settings, expected) => {
  expect(await inspect({ path: write("mail.log", text), ...settings })).toEqual(expected);
});

test("each log that fits a pattern is looked at, and one that others can write to is told", async () => {
  chmodSync(directory, 0o755);
  const log = write("mail-a.log", mixed);
  write("mail-b.log", "");
  chmodSync(log, 0o666);
  const findings = await inspect({ path: join(directory, "mail-*.log") });
  expect(findings).toContain(
    `todo ${log}: others can write to it, so they can forge logins; chmod go-w it`,
  );
  expect(findings).toContain(`fine ${join(directory, "mail-b.log")}: readable`);
  expect(findings).toHaveLength(5);
});

test("the last lines are whole ones", () => {
  const log = write("mail.log", "one\ntwo\nthree\nhalf");
  const texts = (bytes: number) => lastLines(log, bytes).map((line) => line.toString());
  expect(texts(100)).toEqual(["one", "two", "three"]);
  expect(texts(14)).toEqual(["three"]);
  expect(texts(5)).toEqual([]);
  expect(lastLines("/dev/null", 10)).toEqual([]);
});
