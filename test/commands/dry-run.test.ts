/** A day of logins under a config: what would have come of them, and where they are found. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultAdapters } from "../../src/adapters/index.ts";
import type { Client } from "../../src/client.ts";
import { DryRun } from "../../src/commands/dry-run.ts";
import { loginsOfLastDay } from "../../src/commands/last-day.ts";
import { parseConfig } from "../../src/config.ts";
import type { SourceSettings } from "../../src/sources/settings.ts";
import { judgedAt, linesOf } from "../adapters/judged.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";

const minute = 60_000;
const start = Date.parse("2026-11-23T06:00:00Z");

function dryRun(
  logins: readonly (readonly [minutes: number, client: string, user?: string])[],
  guard = "",
) {
  const config = parseConfig(
    `ttl = "30m"\n[[source]]\npath = "/a"\n[[map]]\ntable = "/b"\n[guard]\n${guard}`,
    "x",
    [],
  );
  const run = new DryRun(config, () => new Set(["203.0.113.25" as Client]));
  for (const [minutes, client, user = "ann"] of logins) {
    const at = start + minutes * minute;
    const login = { at, adapter: "dovecot", service: "pop3", user, client: client as Client };
    run.take(login, "/a");
  }
  return run.findings.map(({ kind, text }) => `${kind} ${text}`);
}

describe("what would have come of them", () => {
  test.each<[string, Parameters<typeof dryRun>, readonly string[]]>([
    ["nothing", [[]], ["note no login; `popgate match` tells which lines are nearly one"]],
    [
      "grants that end",
      [
        [
          [0, "192.0.2.1"],
          [1, "192.0.2.2", "bob"],
          [2, "192.0.2.1"],
          [40, "192.0.2.3"],
          [41, "192.0.2.1"],
        ],
      ],
      ["note 5 logins of 3 clients and 2 users; 5 would have granted, at most 2 clients at a time"],
    ],
    [
      "clients that the guard refuses, each once",
      [
        [
          [0, "10.0.0.1"],
          [1, "10.0.0.2"],
          [50, "10.0.0.1"],
          [51, "203.0.113.25"],
          [52, "198.51.100.7"],
        ],
        'never = ["198.51.100.0/24"]',
      ],
      [
        "note 5 logins of 4 clients and 1 user; 0 would have granted, at most 0 clients at a time",
        "note the guard would have refused 2 clients, 10.0.0.1 first: the address is private or special: behind a proxy it would stand for everybody",
        "note the guard would have refused 1 client, 203.0.113.25 first: the address is one of this host's own: a proxy or webmail would stand for everybody",
        "note the guard would have refused 1 client, 198.51.100.7 first: the address is in guard.never",
      ],
    ],
    [
      "a limit",
      [
        [
          [0, "192.0.2.1"],
          [0, "192.0.2.2"],
        ],
        "max_grants = 1",
      ],
      [
        "note 2 logins of 2 clients and 1 user; 1 would have granted, at most 1 client at a time",
        "note the guard would have refused 1 client, 192.0.2.2 first: guard.max_grants is reached",
      ],
    ],
  ])("%s", (_, run, findings) => {
    expect(dryRun(...run)).toEqual(findings);
  });
});

describe("where they are found", () => {
  let directory: string;
  let outside: GatheringOutside;

  beforeEach(() => {
    directory = mkdtempSync(join(homedir(), ".popgate-dry-run-"));
    outside = new GatheringOutside();
    outside.clock = new ManualClock("2026-11-23T12:00:00Z");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const line = (at: string, client: string) =>
    `${at} mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7\n`;
  const put = (name: string, text: string | Buffer, changed: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    utimesSync(path, new Date(changed), new Date(changed));
  };
  const found = async (source: SourceSettings) =>
    (await loginsOfLastDay(source, defaultAdapters, outside)).map(({ client }) => client);

  test.each(["mail.log", "mail*"])(
    "in %s, what is of the last day, rotated or not",
    async (name) => {
      put("mail.log.3", line("2026-11-22T13:00:00Z", "192.0.2.3"), "2026-11-22T11:00:00Z");
      const second = gzipSync(
        line("2026-11-22T11:59:00Z", "192.0.2.2") + line("2026-11-22T12:01:00Z", "192.0.2.4"),
      );
      put("mail.log.2.gz", second, "2026-11-22T13:00:00Z");
      put("mail.log.1", line("2026-11-22T14:00:00Z", "192.0.2.1"), "2026-11-22T14:00:00Z");
      put("mail.log", line("2026-11-23T11:00:00Z", "192.0.2.7"), "2026-11-23T11:00:00Z");
      const source = { type: "file", path: join(directory, name) } as const;
      expect(await found(source)).toEqual(["192.0.2.4", "192.0.2.1", "192.0.2.7"]);
    },
  );

  test("in the journal, whoever is trusted", async () => {
    const lines = linesOf("corpus/lab/dovecot-journald.json.log");
    outside.clock = new ManualClock(judgedAt);
    outside.spawn = (argv) => {
      expect(argv[0]).toBe("journalctl");
      const ended = { ok: true, missing: false, stdout: "", stderr: "", reason: "" };
      const output = Readable.from([Buffer.from(`${lines.join("\n")}\n`)]);
      return Promise.resolve({ output, outcome: Promise.resolve(ended), end: () => {} });
    };
    const source = (user: string) => ({ type: "journal", trust: { _UID: [user] } }) as const;
    expect(await found(source("0"))).toHaveLength(19);
    expect(await found(source("65534"))).toHaveLength(1);
  });

  test("nowhere: a log that cannot be read, and standard input", async () => {
    expect(await found({ type: "file", path: join(directory, "none.log") })).toEqual([]);
    expect(await found({ type: "stdin" })).toEqual([]);
  });
});
