/** `popgate match` as the tester of logs and patterns: near misses, rotated logs, one line explained, progress. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { match } from "../../src/commands/match.ts";
import { exit } from "../../src/errors.ts";
import { ManualClock } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";

let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-match-"));
  outside = new GatheringOutside();
  outside.clock = new ManualClock("2026-11-23T23:00:00Z");
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  const text = lines.map((line) => `${line}\n`).join("");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

const stamp = "2026-11-23T06:20:54+00:00 mx";
const login = (client: string, user = "ann") =>
  `${stamp} dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>`;
const renamed = (client: string, number: number) =>
  `${stamp} dovecot: imap-login: Signed on: user=<ann>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=${String(number)}, session=<abc${String(number)}>`;

describe("near misses", () => {
  test("a daemon that has changed its word is told by shape, with the place where the pattern breaks", async () => {
    const log = write("mail.log", [
      login("192.0.2.7"),
      login("192.0.2.7", "bob"),
      `${stamp} dovecot: imap-login: Logged in to: user=<ann>, method=PLAIN, rip=192.0.2.8, lip=198.51.100.1, mpid=8, session=<x1>`,
      `${stamp} dovecot: imap-login: Logged in to: user=<b@c>, method=PLAIN, rip=192.0.2.9, lip=198.51.100.1, mpid=9, session=<x2>`,
      `${stamp} dovecot: imap-login: Disconnected: Aborted login (auth failed, 1 attempts): user=<a>, rip=192.0.2.66`,
      `${stamp} someone: logged in from 192.0.2.66`,
    ]);
    expect(await match([log], {}, outside)).toBe(exit.ok);
    expect(outside.told.split("\n")).toEqual([
      "6 lines, 2 logins of 1 client",
      "  dovecot: 2 logins of 1 client and 2 users",
      "near misses: lines of a known daemon that speak of a login and grant nothing, by their shape",
      `  2 lines like dovecot: imap-login: Logged in to: user=<*>, method=*, rip=*, lip=*, mpid=*, session=<*> (first at ${log}:3)`,
      '    dovecot comes closest; it fits up to "imap-login: Logged in", where it has " to: user=<ann>, method=PLAIN," and the pattern wants : (?=(?:[^,<>]*(?:(?:,(?! )|<[',
      "  (--explain NUMBER walks through one line)",
      "",
    ]);
  });

  test("at most ten shapes are told, and what stands in a message reaches no terminal raw", async () => {
    const words = "abcdefghijkl".split("");
    const log = write("mail.log", [
      ...words.map((word) => `${stamp} imapd: LOGIN ${word}, user=\u001b[31m, ip=[192.0.2.7]`),
      renamed("192.0.2.7", 1),
    ]);
    await match([log], {}, outside);
    expect(outside.told).toContain("  and 3 shapes more\n");
    expect(outside.told).not.toContain("\u001b");
  });
});

describe("logs with their rotated generations", () => {
  beforeEach(() => {
    write("mail.log.2.gz", [login("192.0.2.1")]);
    write("mail.log.1", [login("192.0.2.2")]);
    write("mail.log", [login("192.0.2.3")]);
    write("other.log", [login("192.0.2.4")]);
  });

  const clients = () =>
    [...outside.printed.matchAll(/"client":"([^"]*)"/g)].map(([, client]) => client);

  test("of one log, the oldest first", async () => {
    await match([join(directory, "mail.log")], { rotated: true, json: true }, outside);
    expect(clients()).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    const [first = ""] = outside.printed.split("\n");
    expect(JSON.parse(first)).toMatchObject({ file: join(directory, "mail.log.2.gz"), line: 1 });
  });

  test("of all logs of a directory", async () => {
    await match([directory], { json: true }, outside);
    expect(clients()).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
  });

  test("a login may take two lines in two files", async () => {
    write("pop.log.1", [`${stamp} popa3d[7]: Session from 192.0.2.9`]);
    const log = write("pop.log", [`${stamp} popa3d[7]: Authentication passed for ann`]);
    await match([log], { rotated: true, json: true }, outside);
    expect(clients()).toEqual(["192.0.2.9"]);
  });
});

describe("one line is explained", () => {
  const explained = async (explain: string, ...lines: readonly string[]) => {
    const code = await match([write("mail.log", lines)], { explain }, outside);
    return {
      code,
      steps: outside.printed
        .split("\n")
        .slice(2, -1)
        .map((line) => line.trim()),
    };
  };

  test("a login", async () => {
    const { code, steps } = await explained("2", "x", login("192.0.2.7"));
    expect(code).toBe(exit.ok);
    expect(steps).toEqual([
      `length      ${String(login("192.0.2.7").length)} bytes`,
      "prefix      syslog: stamp 2026-11-23T06:20:54+00:00 (2026-11-23T06:20:54.000Z), host mx, program dovecot, pid none",
      `message     ${login("192.0.2.7").slice(38)}`,
      "dispatch    dovecot is a program of dovecot; these know it, too, and are off: dovecot-proxy",
      'dovecot     holds its marker "-login: Log"',
      'dovecot     its pattern takes the whole message: service "imap", user "ann", client "192.0.2.7"',
      "verdict     a login, by dovecot: imap, user ann, client 192.0.2.7, at 2026-11-23T06:20:54.000Z",
    ]);
  });

  test.each<[string, string, readonly (string | RegExp)[]]>([
    ["no known prefix", "half a line", [/^prefix {6}it begins like none/, "verdict     no login"]],
    [
      "a program that nobody knows",
      `${stamp} postfix/smtpd[5]: connect from x[192.0.2.7]`,
      ["dispatch    no adapter that is on knows the program postfix/smtpd", "verdict     no login"],
    ],
    [
      "a message without a marker",
      `${stamp} dovecot: auth: Debug: x`,
      [/^dovecot {5}holds none of its markers \("-login: Log"/, "verdict     no login"],
    ],
    [
      "a pattern that breaks",
      `${stamp} imapd: LOGIN, user=ann, ip=192.0.2.7`,
      [
        "courier     its pattern stops to fit behind 20 characters:",
        "LOGIN, user=ann, ip=",
        /^here stands "192\.0\.2\.7", and the pattern wants \\\[\(\?<client>/,
        "verdict     refused, by courier: it begins like a login, but its fields are not those that the daemon writes",
      ],
    ],
    [
      "two readings",
      `${login("192.0.2.7")}, rip=192.0.2.8`,
      [
        "dovecot     in doubt: the line can be read in two ways",
        "verdict     refused, by dovecot: the line can be read in two ways",
      ],
    ],
    [
      "the first of two lines",
      `${stamp} popa3d[7]: Session from 192.0.2.9`,
      [
        "popa3d      it is the first of two lines of a login: it tells the client",
        "verdict     no login",
      ],
    ],
    [
      "too long",
      login("192.0.2.7", "x".repeat(9000)),
      [
        /^length {6}\d+ bytes: a line over 8192 is never a login/,
        /^verdict {5}refused, by dovecot: the line is too long/,
      ],
    ],
  ])("%s", async (_, line, expected) => {
    const { code, steps } = await explained("1", line);
    expect(code).toBe(exit.no);
    for (const one of expected) {
      if (typeof one === "string") expect(steps).toContain(one);
      else expect(steps).toContainEqual(expect.stringMatching(one));
    }
  });

  test("the second of two lines knows the first", async () => {
    const { code, steps } = await explained(
      "2",
      `${stamp} popa3d[7]: Session from 192.0.2.9`,
      `${stamp} popa3d[7]: Authentication passed for ann`,
    );
    expect(code).toBe(exit.ok);
    expect(steps.at(-1)).toMatch(
      /^verdict {5}a login, by popa3d: pop3, user ann, client 192\.0\.2\.9/,
    );
  });

  test.each([
    ["0", /^--explain: "0" is not the number of a line/],
    ["x", /^--explain: "x" is not the number of a line/],
    ["3", /has 2 whole lines/],
  ])("there is no line %s", async (explain, message) => {
    await expect(explained(explain, "x", "y")).rejects.toThrow(message);
  });

  test("a number belongs to one log", async () => {
    const log = write("mail.log", []);
    await expect(match([log, log], { explain: "1" }, outside)).rejects.toThrow("name one log");
  });

  test("by an adapter that there is not, nothing is", async () => {
    const options = { explain: "1", adapter: ["nosuch"] };
    await expect(match([write("mail.log", ["x"])], options, outside)).rejects.toThrow(
      'there is no adapter "nosuch"',
    );
  });
});

test("on a terminal, a long reading shows how far it has come, and takes that away", async () => {
  const clock = new ManualClock();
  outside.clock = {
    now: () => clock.now(),
    monotonic: () => (clock.advance(300), clock.monotonic()),
    after: () => () => {},
  };
  outside.isTerminal = true;
  const log = write(
    "mail.log",
    Array.from({ length: 12_000 }, () => login("192.0.2.7")),
  );
  await match([log], { count: true }, outside);
  expect(outside.told).toMatch(
    /^(?:\r\u001B\[K.*mail\.log: \d+ %, \d+ MB, \d+ logins)+\r\u001B\[K$/,
  );
});
