/** What `popgate report` makes of audits: whole, rotated, torn and hostile ones. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lineOf, type Recorded } from "../../src/audit/line.ts";
import { canonicalClient } from "../../src/client.ts";
import { report } from "../../src/commands/report.ts";
import { exit } from "../../src/errors.ts";
import { reasonTexts } from "../../src/grants/guard.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";

const day = 86_400_000;
const now = Date.parse("2026-11-25T12:00:00Z");
let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), "popgate-report-"));
  fresh();
});

afterEach(() => fs.rmSync(directory, { recursive: true }));

function fresh(columns?: number): void {
  outside = new GatheringOutside();
  outside.clock = new ManualClock(now);
  if (columns !== undefined) outside.screen = { columns: () => columns, rows: () => 24 };
}

const inside = (name: string) => join(directory, name);

/** Logins of a user, the latest so many days ago. */
function came(
  user: string,
  address: string,
  logins: number,
  ago: number,
  service = "pop3",
): string {
  const at = now - ago * day;
  const who = { client: canonicalClient(address), user, service, adapter: "dovecot" };
  const one: Recorded = { event: "granted", time: at - 1000, login: at - 2000, ...who };
  const others: Recorded = {
    event: "renewed",
    time: at + 1,
    login: at,
    logins: logins - 1,
    ...who,
  };
  return lineOf(one) + (logins > 1 ? lineOf(others) : "");
}

function refused(reason: string, address: string, ago: number): string {
  const login = now - ago * day;
  const client = canonicalClient(address);
  return lineOf({ event: "refused", time: login, login, client, user: "eve", reason });
}

const story = [
  lineOf({ event: "started", time: now - 30 * day }),
  came("warehouse-scanner@example.com", "192.0.2.7", 8640, 0.01),
  came("warehouse-scanner@example.com", "192.0.2.7", 8000, 3),
  came("ann", "2001:db8:1234:5678:9abc:def0:1234:5678", 120, 0.2, "imap"),
  came("Ann", "198.51.100.20", 40, 2),
  came("ann", "198.51.100.21", 9, 1),
  came("alarm-panel", "203.0.113.9", 4320, 1),
  came("a\u001b[31mred\u202e", "192.0.2.66", 1, 29),
  refused("private", "10.0.0.1", 1),
  refused("private", "10.0.0.2", 2),
  refused("private", "10.0.0.1", 3),
  refused("max_clients_per_user", "192.0.2.200", 4),
  lineOf({ event: "granted", time: now - day, client: canonicalClient("192.0.2.50"), why: "x" }),
  lineOf({ event: "expired", time: now, client: canonicalClient("192.0.2.7"), user: "nobody" }),
  lineOf({ event: "lost", time: now, events: 7 }),
];

/** With rotated generations in both styles of the year, and what stands beside them. */
function writeStory(): string {
  const rest = story.slice();
  fs.writeFileSync(inside("audit.log.3.gz"), gzipSync(rest.splice(0, 2).join("")));
  fs.writeFileSync(inside("audit.log.2"), rest.splice(0, 3).join(""));
  fs.writeFileSync(inside("audit.log.1"), rest.splice(0, 4).join(""));
  fs.writeFileSync(inside("audit.log"), rest.join(""));
  fs.writeFileSync(inside("audit.log.bak"), "no generation");
  fs.writeFileSync(inside("other.log"), came("other", "192.0.2.99", 1, 1));
  return config(`audit = "${inside("audit.log")}"`);
}

function config(top: string): string {
  const rest = `[[source]]\npath = "/var/log/mail.log"\n[[map]]\nmta = "exim"\ntable = "/var/lib/popgate/relay"\n`;
  fs.writeFileSync(inside("popgate.toml"), `${top}\n${rest}`);
  return inside("popgate.toml");
}

describe("the screen", () => {
  test.each([80, 120])("of %d columns", async (columns) => {
    fresh(columns);
    expect(await report([], { config: writeStory() }, outside)).toBe(exit.ok);
    const golden = new URL(`../golden/report-${String(columns)}.txt`, import.meta.url);
    await expect(outside.printed).toMatchFileSnapshot(golden.pathname);
    const lines = outside.printed.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(outside.printed).toMatch(/█/);
    expect(outside.told).toBe("7 events could not be written when they happened\n");
  });

  test("piped has no bars, and nothing is cut", async () => {
    await report([], { config: writeStory() }, outside);
    expect(outside.printed).not.toMatch(/[█…]/);
    expect(outside.printed.split("\n").slice(0, 5)).toEqual([
      "21130 logins of 4 users from 6 clients, 2026-10-26 to 2026-11-25",
      "1 grant by order",
      "",
      "USER                           LOGINS  DAYS  CLIENTS  LATEST FROM                             LAST SEEN   SERVICES",
      "warehouse-scanner@example.com   16640     2        1  192.0.2.7                               2026-11-25  pop3",
    ]);
  });

  test("too narrow for all of it still holds every user", async () => {
    fresh(40);
    await report([], { config: writeStory() }, outside);
    for (const user of ["warehouse-scanner@e", "ann ", "alarm-panel", "a?[31mred?"]) {
      expect(outside.printed).toContain(`\n${user}`);
    }
  });
});

describe("for programs", () => {
  test("--json", async () => {
    await report([], { config: writeStory(), json: true }, outside);
    const all = outside.printed
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(all).toMatchObject([
      { kind: "user", user: "warehouse-scanner@example.com", logins: 16_640, days: 2 },
      { kind: "user", user: "alarm-panel", logins: 4320 },
      {
        kind: "user",
        user: "ann",
        logins: 169,
        days: 3,
        first: "2026-11-23T11:59:58.000Z",
        last: "2026-11-25T07:12:00.000Z",
        services: ["imap", "pop3"],
        adapters: ["dovecot"],
        clients: [
          {
            client: "2001:db8:1234:5678:9abc:def0:1234:5678",
            logins: 120,
            last: "2026-11-25T07:12:00.000Z",
          },
          { client: "198.51.100.21", logins: 9 },
          { client: "198.51.100.20", logins: 40 },
        ],
      },
      { kind: "user", user: "a\u001b[31mred\u202e", logins: 1 },
      {
        kind: "refusals",
        reason: "private",
        times: 3,
        clients: 2,
        text: reasonTexts.private,
      },
      { kind: "refusals", reason: "max_clients_per_user", times: 1, clients: 1 },
      { kind: "total", users: 4, clients: 6, logins: 21_130, ordered: 1, lost: 7 },
    ]);
  });

  test("--csv quotes, and computes nothing", async () => {
    const names = [
      'quo"te',
      "com,ma",
      "ann;=1+1",
      " =1",
      "=1+1",
      "-x",
      "+x",
      "@SUM(A1)",
      "\t=1",
      "plain",
    ];
    fs.writeFileSync(inside("a"), names.map((name) => came(name, "192.0.2.7", 1, 1)).join(""));
    await report([inside("a")], { csv: true }, outside);
    const rows = outside.printed.split("\r\n");
    expect(rows.pop()).toBe("");
    expect(rows.shift()).toBe("user,logins,days,clients,latest_client,first,last,services");
    const tail = ",1,1,1,192.0.2.7,2026-11-24T11:59:58.000Z,2026-11-24T11:59:58.000Z,pop3";
    expect(rows.sort()).toEqual(
      [
        '"com,ma"',
        '"quo""te"',
        '"ann;=1+1"',
        "' =1",
        "'+x",
        "'-x",
        "'=1+1",
        "'@SUM(A1)",
        "?=1",
        "plain",
      ]
        .map((name) => `${name}${tail}`)
        .sort(),
    );
  });
});

describe("what is read", () => {
  test.each<[since: string, users: string[]]>([
    ["1h", ["warehouse-scanner@example.com"]],
    ["1d", ["warehouse-scanner@example.com", "alarm-panel", "ann"]],
    ["29d", ["warehouse-scanner@example.com", "alarm-panel", "ann"]],
    ["365d", ["warehouse-scanner@example.com", "alarm-panel", "ann", "a?[31mred?"]],
  ])("--since %s", async (since, users) => {
    await report([], { config: writeStory(), since, csv: true }, outside);
    const names = outside.printed
      .split("\r\n")
      .slice(1, -1)
      .map((row) => row.split(",")[0]);
    expect(names).toEqual(users);
  });

  test.each<[names: string[]]>([
    [["audit.log-20261101", "audit.log-20261108.gz", "audit.log-20261115", "audit.log"]],
    [["audit.log.3.gz", "audit.log.2.gz", "audit.log.1", "audit.log"]],
    [["audit.log.2", "audit.log.1"]],
  ])("%j", async (names) => {
    names.forEach((name, index) => {
      const text = came(name, "192.0.2.7", 2, 1 + index);
      fs.writeFileSync(inside(name), name.endsWith(".gz") ? gzipSync(text) : text);
    });
    await report([], { config: config(`audit = "${inside("audit.log")}"`), csv: true }, outside);
    expect(outside.printed.match(/^audit[^,]*/gm)?.sort()).toEqual([...names].sort());
    fresh();
    await report([directory], { csv: true }, outside);
    expect(outside.printed.match(/^audit[^,]*/gm)?.sort()).toEqual([...names].sort());
  });

  test("standard input, and files of any name", async () => {
    fs.writeFileSync(inside("one"), came("ann", "192.0.2.7", 2, 1));
    outside.stdin.end(came("bob", "192.0.2.7", 3, 1));
    await report([inside("one"), "-"], { csv: true }, outside);
    expect(outside.printed).toMatch(/^bob,3,.*\r\nann,2,/m);
  });

  test("torn and foreign lines are told, and the rest counts", async () => {
    const whole = came("ann", "192.0.2.7", 1, 1);
    const text = `${whole}${whole.slice(0, 50)}\nNov 23 x\n\n${"y".repeat(70_000)}\n${whole}${whole.slice(0, 9)}`;
    fs.writeFileSync(inside("a"), text);
    expect(await report([inside("a")], {}, outside)).toBe(exit.ok);
    expect(outside.told).toBe("5 lines torn, or none of an audit: not counted\n");
    expect(outside.printed).toMatch(/^2 logins of 1 user from 1 client, 2026-11-24$/m);
  });

  test("a generation that cannot be read is told, and the exit code says so", async () => {
    const file = writeStory();
    fs.truncateSync(inside("audit.log.3.gz"), 60);
    fs.writeFileSync(inside("audit.log.4.zst"), "");
    expect(await report([], { config: file }, outside)).toBe(exit.noInput);
    expect(outside.told).toMatch(/audit\.log\.3\.gz: unexpected end of file.*not counted\n/);
    expect(outside.told).toMatch(/audit\.log\.4\.zst: not read: not packed by gzip\n/);
    expect(outside.printed).toContain("alarm-panel");
  });

  test("an audit that tells of nothing", async () => {
    fs.writeFileSync(inside("audit.log"), "");
    await report([], { config: config(`audit = "${inside("audit.log")}"`) }, outside);
    expect(outside.printed).toBe("the audit tells of nothing in this time\n");
  });
});

describe("what cannot be", () => {
  const audit = () => config(`audit = "${inside("audit.log")}"`);
  test.each<[what: string, files: string[], options: () => object, code: number, message: RegExp]>([
    [
      "no key",
      [],
      () => ({ config: config("") }),
      exit.config,
      /popgate\.toml: audit is not set.*add audit = "\/var\/log\/popgate\/audit\.log"/,
    ],
    [
      "no file yet",
      [],
      () => ({ config: audit() }),
      exit.noInput,
      /audit\.log: there is no audit yet/,
    ],
    [
      "a FIFO in its place",
      [],
      () => {
        execFileSync("mkfifo", [inside("audit.log")]);
        return { config: config(`audit = "${inside("audit.log")}"`) };
      },
      exit.noInput,
      /audit\.log: is a FIFO, not a log/,
    ],
    ["no such file", ["/nowhere/a"], () => ({}), exit.noInput, /^\/nowhere\/a: no such file/],
    ["another packer", ["/nowhere/a.zst"], () => ({}), exit.noInput, /only gzip can be unpacked/],
    [
      "a wrong time",
      ["-"],
      () => ({ since: "yesterday" }),
      exit.usage,
      /--since: "yesterday" is not a duration/,
    ],
    ["two forms", ["-"], () => ({ json: true, csv: true }), exit.usage, /exclude each other/],
    ["no config", [], () => ({ config: "/nowhere/popgate.toml" }), exit.noInput, /no such file/],
  ])("%s", async (_, files, options, code, message) => {
    await expect(report(files, options(), outside)).rejects.toMatchObject({
      exitCode: code,
      message: expect.stringMatching(message) as string,
    });
  });
});

const name = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom("=", "\r", "\n", '"', ",", "\u001b", "\u202e", "é", "…"),
    maxLength: 9,
  }),
);

/** The cells of each row, as RFC 4180 says. */
function cellsOf(csv: string): string[][] {
  return csv
    .split("\r\n")
    .slice(0, -1)
    .map((row) =>
      [...`,${row}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
      ),
    );
}

test("hostile names break no row, no cell and no terminal", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 8, selector: (one) => one.toLowerCase() }),
      async (names) => {
        fs.writeFileSync(inside("a"), names.map((one) => came(one, "192.0.2.7", 2, 1)).join(""));
        fresh(80);
        await report([inside("a")], {}, outside);
        expect(outside.printed).toMatch(/^[\p{L}\p{N}\p{P}\p{S} \n]*$/u);
        fresh();
        await report([inside("a")], { csv: true }, outside);
        const [, ...rows] = cellsOf(outside.printed);
        const users = names.map((one) => Buffer.from(one).toString().toLowerCase());
        expect(rows).toHaveLength(new Set(users).size);
        for (const row of rows) {
          expect(row).toHaveLength(8);
          expect(row[0]).not.toMatch(/^[=+\-@\t\r]/);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a file torn anywhere, and put together again, loses at most the lines that were torn", async () => {
  const lines = Array.from({ length: 6 }, (_, n) => came(`user${String(n)}`, "192.0.2.7", 1, 1));
  const text = lines.join("");
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), fc.nat(text.length), async (one, other) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      fs.writeFileSync(inside("a"), `${text.slice(0, from)}\n${text.slice(to)}`);
      fresh();
      await report([inside("a")], { csv: true }, outside);
      const kept = lines.filter((_, n) => {
        const start = lines.slice(0, n).join("").length;
        const end = start + (lines[n]?.length ?? 0);
        return end - 1 <= from || start >= to;
      });
      expect(outside.printed.split("\r\n")).toHaveLength(kept.length + 2);
    }),
    { numRuns: 60 },
  );
});
