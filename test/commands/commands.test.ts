import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProgram, exitCodeOfCommander, isCommanderError } from "../../src/cli.ts";
import { exit, KnownError } from "../../src/errors.ts";
import type { Client } from "../../src/client.ts";
import { acquireLock } from "../../src/lock.ts";
import { run } from "../../src/run.ts";
import { readState, saveState } from "../../src/state.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";
import { until } from "../until.ts";

let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(homedir(), ".popgate-commands-"));
  outside = new GatheringOutside();
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Runs a command line as main does; gives its exit code and, if it failed, its message. */
async function popgate(...argv: string[]): Promise<{ code: number; error: string }> {
  let code: number = exit.ok;
  try {
    await createProgram(outside, (own) => {
      code = own;
    }).parseAsync(argv, { from: "user" });
    return { code, error: "" };
  } catch (error) {
    if (isCommanderError(error)) return { code: exitCodeOfCommander(error), error: outside.told };
    if (error instanceof KnownError) return { code: error.exitCode, error: error.message };
    throw error;
  }
}

function inside(name: string): string {
  return join(directory, name);
}

function writeConfig(extra = ""): string {
  const text = [
    `ttl = "1h"`,
    `state_dir = "${inside("state")}"`,
    `[[source]]\npath = "${inside("mail.log")}"\nzone = "UTC"`,
    `[[map]]\nmta = "exim"\ntable = "${inside("relay")}"`,
    extra,
  ].join("\n");
  writeFileSync(inside("popgate.toml"), text);
  return inside("popgate.toml");
}

function loginLine(client: string, at = new Date()): string {
  return `${at.toISOString()} mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>\n`;
}

function clientsIn(table: string): string[] {
  return readFileSync(inside(table), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

describe("the command line", () => {
  test.each([
    [["match", "--jsno"], exit.usage, /unknown option '--jsno'/],
    [["permit"], exit.usage, /unknown command 'permit'/],
    [
      ["match", "--adapter", "dovcot", "/dev/null"],
      exit.usage,
      /no adapter "dovcot"; there are dovecot, dovecot-proxy, courier/,
    ],
    [["run", "--config", "/a", "--map", "/b"], exit.usage, /exclude each other/],
    [
      ["run", "--source", "mail.log", "--map", "relay"],
      exit.config,
      /^--source: "mail.log" is not an absolute path/,
    ],
    [
      ["run", "--config", "/nowhere/popgate.toml"],
      exit.noInput,
      /^\/nowhere\/popgate.toml: no such file/,
    ],
    [["match", "/nowhere/mail.log"], exit.noInput, /^\/nowhere\/mail.log: no such file/],
    [["--version"], exit.ok, /^$/],
    [["match", "--help"], exit.ok, /^$/],
  ])("%j", async (argv, code, message) => {
    const result = await popgate(...argv);
    expect(result.code).toBe(code);
    expect(result.error).toMatch(message);
  });
});

describe("match", () => {
  const log = [
    "2026-11-23T06:20:54.123+00:00 mx dovecot: pop3-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7, session=<a>",
    "2026-11-23T06:20:55+00:00 mx postfix/smtpd[5]: connect from unknown[192.0.2.9]",
    "2026-11-23T06:20:56+00:00 mx imapd: LOGIN, user=bob, ip=[::ffff:192.0.2.8], port=[5], protocol=IMAP",
    "2026-11-23T06:20:57+00:00 mx dovecot: imap-login: Login: user=<x>, method=PLAIN, rip=192.0.2.1, lip=1.1.1.1, session=<rip=192.0.2.2>",
    "2026-11-23T06:20:58+00:00 mx dovecot: pop3-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1",
  ];

  beforeEach(() => writeFileSync(inside("mail.log"), `${log.join("\n")}\nhalf a li`));

  test("in JSON, in file order, with line numbers", async () => {
    expect((await popgate("match", "--json", inside("mail.log"))).code).toBe(exit.ok);
    expect(outside.printed.trimEnd().split("\n")).toEqual([
      '{"line":1,"at":"2026-11-23T06:20:54.123Z","adapter":"dovecot","service":"pop3","user":"alice","client":"192.0.2.7"}',
      '{"line":3,"at":"2026-11-23T06:20:56.000Z","adapter":"courier","service":"imap","user":"bob","client":"192.0.2.8"}',
      '{"line":5,"at":"2026-11-23T06:20:58.000Z","adapter":"dovecot","service":"pop3","user":"alice","client":"192.0.2.7"}',
    ]);
    expect(outside.told).toBe("");
  });

  test("counted, of one adapter, over two files", async () => {
    const file = inside("mail.log");
    await popgate("match", "--count", file);
    await popgate("match", "--count", "--adapter", "courier", file, file);
    expect(outside.printed).toBe(
      '{"lines":5,"logins":3,"clients":2}\n{"lines":10,"logins":2,"clients":1}\n',
    );
  });

  test("for people, with a summary", async () => {
    await popgate("match", inside("mail.log"));
    expect(outside.printed.split("\n")[0]).toBe(
      "       1  2026-11-23T06:20:54.123Z  dovecot  pop3  192.0.2.7        alice",
    );
    expect(outside.told).toBe(
      [
        "5 lines, 3 logins of 2 clients",
        "  dovecot: 2 logins of 1 client and 1 user",
        "  courier: 1 login of 1 client and 1 user",
        `  1 line refused: the line can be read in two ways (first at ${inside("mail.log")}:4)`,
        `  ${inside("mail.log")}: the last line has no end and was not read`,
        "",
      ].join("\n"),
    );
  });
});

describe("withdraw, check, list and run", () => {
  test("withdraw makes the state and an empty table, and remembers it", async () => {
    const config = writeConfig();
    expect(await popgate("withdraw", "--config", config)).toEqual({ code: exit.ok, error: "" });
    expect(clientsIn("relay")).toEqual([]);
    const { tables } = await readState(inside("state"));
    expect(tables).toEqual([{ mta: "exim", table: inside("relay") }]);
    expect(outside.told).toBe("1 table is empty\n");
  });

  test("check says what is to be done, in its order, until nothing is", async () => {
    const config = writeConfig();
    expect((await popgate("check", "--config", config)).code).toBe(exit.no);
    expect(outside.printed).toMatch(/todo {2}it is missing; `popgate withdraw` makes it/);
    expect(outside.printed).toMatch(
      /todo {2}no such file or directory \(ENOENT\); popgate would wait/,
    );
    expect(outside.printed).toMatch(/todo {2}it does not exist: run `popgate withdraw`/);
    expect(existsSync(inside("relay")) || existsSync(inside("state"))).toBe(false);
    await popgate("withdraw", "--config", config);
    writeFileSync(inside("mail.log"), "");
    chmodSync(inside("mail.log"), 0o666);
    outside.printed = "";
    expect((await popgate("check", "--config", config)).code).toBe(exit.no);
    expect(outside.printed).toMatch(/others can write to it, so they can forge logins/);
    chmodSync(inside("mail.log"), 0o640);
    outside.printed = "";
    expect((await popgate("check", "--config", config)).code).toBe(exit.ok);
    expect(outside.printed).toContain('ttl = "1h"');
    expect(outside.printed).toContain("max_clients_per_user = 32");
    expect(outside.printed).toContain(`hostlist popgate_clients = ${inside("relay")}`);
    expect(outside.printed).not.toContain("todo");
  });

  test("run grants until it is told to stop; list shows it; a reload at fault changes nothing", async () => {
    const config = writeConfig();
    writeFileSync(inside("mail.log"), loginLine("192.0.2.7"));
    const running = popgate("run", "--config", config);
    await until("ready", () => outside.told.includes("ready"));
    expect(clientsIn("relay")).toEqual(["192.0.2.7"]);
    await until("the state", async () => (await readState(inside("state"))).grants.length === 1);

    const daemon = outside;
    outside = new GatheringOutside();
    await popgate("list", "--config", config);
    expect(outside.printed).toMatch(
      /^CLIENT +USER +SERVICE +ADAPTER +GRANTED +LEFT\n192\.0\.2\.7 +ann +imap +dovecot +\S+Z +59m\d\ds\n$/,
    );
    outside.printed = "";
    await popgate("list", "--json", "--state-dir", inside("state"));
    expect(Object.keys(JSON.parse(outside.printed) as object)).toEqual([
      "client",
      "user",
      "service",
      "adapter",
      "granted",
      "expires",
    ]);
    expect((await popgate("run", "--config", config)).code).toBe(exit.tempFail);
    outside = daemon;

    writeFileSync(config, 'ttl = "bad"');
    outside.reload();
    await until("the refusal", () =>
      outside.told.includes("reload refused, the running config stays"),
    );
    expect(outside.told).toContain('ttl: \\"bad\\" is not a duration');
    expect(clientsIn("relay")).toEqual(["192.0.2.7"]);
    writeFileSync(
      config,
      readFileSync(writeConfig(), "utf8").replace(inside("mail.log"), directory),
    );
    outside.reload();
    await until("the refusal", () => outside.told.includes("is a directory, not a log"));
    writeConfig('[guard]\nnever = ["192.0.2.0/24"]');
    outside.reload();
    await until("the reload", () => outside.told.includes("reloaded"));
    expect(clientsIn("relay")).toEqual([]);

    outside.stop();
    expect((await running).code).toBe(exit.ok);
    outside.told = "";
    await popgate("list", "--config", config);
    expect(outside.told).toBe("popgate does not run\n");
  });

  test("withdraw without a daemon empties what the state remembers, be the config broken or gone", async () => {
    const config = writeConfig();
    await popgate("withdraw", "--config", config);
    const state = await readState(inside("state"));
    for (const [break_, code] of [
      [() => writeFileSync(config, `state_dir = "${inside("state")}"\nttl = 7\n`), exit.config],
      [() => writeFileSync(config, `state_dir = "${inside("state")}"\nttl = \n`), exit.config],
    ] as const) {
      break_();
      writeFileSync(inside("relay"), `${readFileSync(inside("relay"), "utf8")}192.0.2.7\n`);
      await saveState(inside("state"), state);
      expect((await popgate("withdraw", "--config", config)).code).toBe(code);
      expect(clientsIn("relay")).toEqual([]);
    }
    writeFileSync(inside("relay"), `${readFileSync(inside("relay"), "utf8")}192.0.2.7\n`);
    expect((await popgate("withdraw", "--state-dir", inside("state"))).code).toBe(exit.ok);
    expect(clientsIn("relay")).toEqual([]);
  });

  test("withdraw empties a former table before the configured one in the same file", async () => {
    writeFileSync(
      inside("tool"),
      '#!/bin/sh\nfor last; do :; done; echo "# index" >"${last#*:}.db"\n',
    );
    chmodSync(inside("tool"), 0o755);
    const map = (type: string) =>
      ({ mta: "postfix", table: `${type}:${inside("both")}`, tool: inside("tool") }) as const;
    const { table, tool } = map("btree");
    const config = writeConfig(`[[map]]\nmta = "postfix"\ntable = "${table}"\ntool = "${tool}"`);
    await popgate("withdraw", "--config", config);
    const state = await readState(inside("state"));
    await saveState(inside("state"), { ...state, tables: [map("hash")] });
    const types: string[] = [];
    outside.run = (argv, options) => {
      if (argv[0] === inside("tool")) types.push(argv.at(-1)?.split(":")[0] ?? "");
      return run(argv, options);
    };
    expect((await popgate("withdraw", "--config", config)).code).toBe(exit.ok);
    expect(types.filter((type, at) => type !== types[at - 1])).toEqual(["hash", "btree"]);
  });

  test("withdraw --forget ends the grants, and what was logged before grants nothing again", async () => {
    const config = writeConfig();
    writeFileSync(inside("mail.log"), loginLine("192.0.2.7"));
    const running = popgate("run", "--config", config);
    await until("ready", () => outside.told.includes("ready"));
    outside.stop();
    await running;
    await popgate("withdraw", "--forget", "--config", config);
    expect((await readState(inside("state"))).grants).toEqual([]);
    const again = new GatheringOutside();
    outside = again;
    const second = popgate("run", "--config", config);
    await until("ready", () => again.told.includes("ready"));
    expect(clientsIn("relay")).toEqual([]);
    again.stop();
    await second;
  });

  test("what cannot be written ends a start, each with its code", async () => {
    const config = writeConfig();
    mkdirSync(inside("state"));
    chmodSync(inside("state"), 0o777);
    expect(await popgate("run", "--config", config)).toMatchObject({
      code: exit.config,
      error: expect.stringContaining("others can write to"),
    });
    chmodSync(inside("state"), 0o755);
    mkdirSync(inside("mail.log"));
    expect(await popgate("run", "--config", config)).toMatchObject({
      code: exit.noInput,
      error: expect.stringContaining("mail.log"),
    });
    rmSync(inside("mail.log"), { recursive: true });
    writeFileSync(inside("relay"), "the admin's own\n");
    expect(await popgate("run", "--config", config)).toMatchObject({
      code: exit.config,
      error: expect.stringContaining("was not written by popgate"),
    });
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(inside("relay"), inside("none/relay")),
    );
    expect(await popgate("run", "--config", config)).toMatchObject({
      code: exit.cannotCreate,
      error: expect.stringContaining("no such file or directory"),
    });
  });

  test("withdraw with a running daemon: it does it itself", async () => {
    const config = writeConfig();
    writeFileSync(inside("mail.log"), loginLine("192.0.2.7"));
    const daemon = outside;
    const running = popgate("run", "--config", config);
    await until("ready", () => daemon.told.includes("ready"));
    try {
      outside = new GatheringOutside();
      const guard = ["withdraw", "--unless-running", "--config", config];
      expect((await popgate(...guard)).code).toBe(exit.ok);
      expect(outside.told).toBe("popgate runs, nothing is withdrawn\n");
      expect(clientsIn("relay")).toEqual(["192.0.2.7"]);
      outside = new GatheringOutside();
      expect((await popgate("withdraw", "--config", config)).code).toBe(exit.ok);
      expect(outside.told).toMatch(/^withdrawn by the running popgate: its tables stay empty/);
      expect(clientsIn("relay")).toEqual([]);
      outside = new GatheringOutside();
      expect((await popgate("withdraw", "--forget", "--config", config)).code).toBe(exit.ok);
      expect(outside.told).toMatch(/^withdrawn by the running popgate, all grants forgotten/);
    } finally {
      daemon.stop();
      await running;
    }
    expect((await readState(inside("state"))).grants).toEqual([]);
  });

  test("withdraw with a daemon that does not answer: it is done without it, and told", async () => {
    const config = writeConfig();
    await popgate("withdraw", "--config", config);
    writeFileSync(inside("relay"), `${readFileSync(inside("relay"), "utf8")}192.0.2.7\n`);
    const lock = await acquireLock(inside("state/lock"), run);
    expect(await popgate("withdraw", "--config", config)).toEqual({
      code: exit.tempFail,
      error: "the running popgate may publish again; stop it",
    });
    expect(clientsIn("relay")).toEqual([]);
    lock?.release();
  });

  test("withdraw tells what it could not empty", async () => {
    const config = writeConfig();
    await popgate("withdraw", "--config", config);
    writeFileSync(inside("relay"), "the admin's own\n");
    expect(await popgate("withdraw", "--config", config)).toMatchObject({
      code: exit.config,
      error: expect.stringContaining("was not written by popgate"),
    });
    expect(
      (
        await popgate(
          "withdraw",
          "--map",
          `hash:${inside("relay2")}x y`,
          "--state-dir",
          inside("state"),
        )
      ).code,
    ).toBe(exit.config);
  });

  test("a state that cannot be read, or written, is told with its code", async () => {
    const config = writeConfig();
    mkdirSync(inside("state/state.jsonl"), { recursive: true });
    expect(await popgate("list", "--config", config)).toMatchObject({
      code: exit.cannotCreate,
      error: expect.stringMatching(/^the state .* cannot be read: /),
    });
    rmSync(inside("state/state.jsonl"), { recursive: true });
    mkdirSync(inside("state/state.jsonl.new/x"), { recursive: true });
    expect(await popgate("run", "--config", config)).toMatchObject({
      code: exit.cannotCreate,
      error: expect.stringMatching(/^state_dir .*state: /),
    });
  });
});

describe("list", () => {
  const now = new Date("2026-11-23T06:00:00Z").getTime();
  const lasting = (client: string, ms: number) => ({
    client: client as Client,
    user: "a\u001b[2Jn",
    service: "imap",
    adapter: "dovecot",
    granted: now - 5000,
    renewed: now,
    expires: now + ms,
  });

  test.each([
    [7_200_000, "2h00m"],
    [3_599_001, "1h00m"],
    [61_000, "1m01s"],
    [59_000, "59s"],
    [1, "1s"],
  ])("shows that %i ms are left as %s, and no terminal's sequences", async (ms, left) => {
    mkdirSync(inside("state"));
    await saveState(inside("state"), {
      saved: now,
      forgotten: 0,
      revocations: [],
      checkpoints: {},
      open: {},
      sources: [],
      tables: [],
      grants: [lasting("192.0.2.7", ms), lasting("192.0.2.8", 0)],
    });
    outside.clock = new ManualClock(now);
    await popgate("list", "--state-dir", inside("state"));
    const [, row, ...rest] = outside.printed.trimEnd().split("\n");
    expect(row).toBe(`192.0.2.7  a?[2Jn  imap     dovecot  2026-11-23T05:59:55Z  ${left}`);
    expect(rest).toEqual([]);
    expect(outside.told).toMatch(
      /^popgate does not run: this was saved 0s ago; stopped, it lets nobody relay/,
    );
  });

  test("says when nobody is granted", async () => {
    mkdirSync(inside("state"));
    await popgate("list", "--state-dir", inside("state"));
    const lock = await acquireLock(inside("state/lock"), run);
    await popgate("list", "--state-dir", inside("state"));
    lock?.release();
    expect(outside.told).toMatch(
      /^popgate does not run\npopgate runs, and does not answer at .*; its log says why\n$/,
    );
  });
});

test("match tells of lines that are too long", async () => {
  writeFileSync(inside("mail.log"), `${"x".repeat(70_000)}\n${loginLine("192.0.2.7")}`);
  await popgate("match", inside("mail.log"));
  expect(outside.told).toContain(`${inside("mail.log")}: 1 line longer than 64 KiB`);
});
