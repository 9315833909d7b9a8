/** The matcher around the adapters: dispatch, bytes, time, and two adapters that want one line. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../src/adapters/adapter.ts";
import type { Adapter } from "../../src/adapters/adapter.ts";
import { courier } from "../../src/adapters/courier.ts";
import { dovecot } from "../../src/adapters/dovecot.ts";
import { adapters } from "../../src/adapters/index.ts";
import { isLogin, Matcher } from "../../src/adapters/matcher.ts";
import { vmPop3dOld } from "../../src/adapters/vm-pop3d-old.ts";
import { vmPop3d } from "../../src/adapters/vm-pop3d.ts";
import type { Format, Login } from "../../src/model.ts";
import { judge, judgedAt } from "./judged.ts";

const prefix = "Nov 23 06:12:27 mx1";
const dovecotLine = loginOf("ann");

function loginOf(user: string): string {
  return `${prefix} dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS`;
}

function toy(name: string, part: Partial<Adapter> = {}): Adapter {
  return defineAdapter({
    name,
    proof: "daemon",
    programs: { imap: ["toyd"], pop3: [] },
    markers: ["hello"],
    logins: [/^hello (?<user>[^ ]+) (?<client>[^ ]+)$/],
    ...part,
  });
}

function matchBy(list: readonly Adapter[], line: string) {
  const matcher = new Matcher(list, { zone: "UTC" });
  return matcher.match({ bytes: Buffer.from(line), live: false }, judgedAt);
}

test("a login has the time of the log, and is told from a refusal and from nothing", () => {
  const login = judge(dovecotLine);
  expect(login).toEqual({
    at: Date.parse("2026-11-23T06:12:27Z"),
    adapter: "dovecot",
    service: "imap",
    user: "ann",
    client: "192.0.2.7",
  });
  expect([login, judge(`${dovecotLine}\0`), undefined].map(isLogin)).toEqual([true, false, false]);
});

test("the programs are those of all adapters, once each", () => {
  const matcher = new Matcher([dovecot, vmPop3d, vmPop3dOld, dovecot], { zone: "UTC" });
  expect(matcher.programs).toEqual(["dovecot", "vm-pop3d"]);
});

test("only the adapters that were given count", () => {
  expect(matchBy([], dovecotLine)).toBeUndefined();
  expect(matchBy([courier], dovecotLine)).toBeUndefined();
});

test("a format that is pinned is the only one", () => {
  const own =
    "Nov 23 06:12:27 imap-login: Info: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=1, TLS";
  const taken = (format: Format, line: string) => {
    const matcher = new Matcher(adapters, { zone: "UTC", format });
    return [
      isLogin(matcher.match({ bytes: Buffer.from(line), live: false }, judgedAt)),
      matcher.timeOf(Buffer.from(line), judgedAt) !== undefined,
    ];
  };
  expect(taken("syslog", dovecotLine)).toEqual([true, true]);
  expect(taken("syslog", `a | ${dovecotLine}`)).toEqual([true, true]);
  expect(taken("dovecot", dovecotLine)).toEqual([false, false]);
  expect(taken("syslog", own)).toEqual([false, false]);
  expect(taken("dovecot", own)).toEqual([true, true]);
  expect(taken("dovecot", own.replace(/^(.{15}) (.*?) Info:/, "dovecot: $1 Info: $2"))).toEqual([
    true,
    true,
  ]);
});

test("a zone that does not exist is refused", () => {
  expect(() => new Matcher(adapters, { zone: "Mars/Olympus" })).toThrow(RangeError);
});

describe("bytes", () => {
  test.each(["\0", "\t", "\r", "\x1b[2K", "\x7f", "\x85", "\u2028", "\u2029"])(
    "%j anywhere in a login refuses it",
    (text) => {
      for (let at = dovecotLine.indexOf("user="); at <= dovecotLine.length; at++) {
        const line = dovecotLine.slice(0, at) + text + dovecotLine.slice(at);
        expect(judge(line), String(at)).toEqual({ refused: "control", adapter: "dovecot" });
      }
      expect(isLogin(judge(text + dovecotLine))).toBe(false);
    },
  );

  test("that are no UTF-8 are read as the replacement character", () => {
    const bytes = Buffer.from(loginOf("x"));
    bytes[bytes.indexOf("<x>") + 1] = 0xe9;
    expect(judge(bytes)).toMatchObject({ user: "\uFFFD", client: "192.0.2.7" });
  });

  test("8 KiB are a login, and one more is none", () => {
    const fill = 8192 - Buffer.byteLength(loginOf(""));
    expect(isLogin(judge(loginOf("x".repeat(fill))))).toBe(true);
    expect(judge(loginOf("x".repeat(fill + 1)))).toEqual({ refused: "long", adapter: "dovecot" });
    expect(judge(`${prefix} sshd: ${"x".repeat(70_000)}`)).toBeUndefined();
  });

  test("of a line are not kept by what is made of it", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const kept: Login[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let number = 0; number < 10_000; number++) {
      const user = `user-${String(number)}@mail.example.org`;
      const match = judge(`${loginOf(user)}, session=<${"x".repeat(6000)}>`);
      if (isLogin(match)) kept.push(match);
    }
    collect();
    expect(kept).toHaveLength(10_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  });
});

describe("two readings", () => {
  const line = `${prefix} toyd: hello ann 192.0.2.7`;

  test("one adapter, one pattern: a login", () => {
    expect(matchBy([toy("a")], line)).toMatchObject({ adapter: "a", service: "imap" });
  });

  test("by two adapters: refused", () => {
    expect(matchBy([toy("a"), toy("b")], line)).toEqual({ refused: "ambiguous", adapter: "a" });
  });

  test("by two adapters, one of which only begins alike: refused", () => {
    const opening = toy("b", { opening: /^hello /, logins: [/^never(?<user>)(?<client>)$/] });
    expect(matchBy([toy("a"), opening], line)).toEqual({ refused: "ambiguous", adapter: "a" });
  });

  test("by two patterns of one adapter: refused", () => {
    const twice = toy("a", {
      logins: [
        /^hello (?<user>[^ ]+) (?<client>[^ ]+)$/,
        /^hello (?<client>[^ ]+) (?<user>[^ ]+)$/,
      ],
    });
    expect(matchBy([twice], line)).toEqual({ refused: "ambiguous", adapter: "a" });
  });

  test("an adapter of the same program that has nothing to say is no second reading", () => {
    const other = toy("b", { markers: ["bye"] });
    expect(matchBy([toy("a"), other], line)).toMatchObject({ adapter: "a" });
  });
});

describe("a service", () => {
  const said = toy("a", {
    programs: ["toyd"],
    logins: [/^hello (?<user>[^ ]+) (?<client>[^ ]+) (?<service>[a-zA-Z0-9]+)$/],
  });

  test.each([
    ["imap", "imap"],
    ["POP3", "pop3"],
  ])("that the message calls %s is %s", (word, service) => {
    const match = matchBy([said], `${prefix} toyd: hello ann 192.0.2.7 ${word}`);
    expect(match).toMatchObject({ service });
  });

  test("that is another is refused", () => {
    const match = matchBy([said], `${prefix} toyd: hello ann 192.0.2.7 smtp`);
    expect(match).toEqual({ refused: "malformed", adapter: "a" });
  });
});

describe("time", () => {
  const undated = `<22>1 - mx ${dovecotLine.slice(prefix.length + 1).replace(":", " - - -")}`;
  const matcher = new Matcher(adapters, { zone: "Europe/Berlin" });
  const match = (line: string, live: boolean, now = judgedAt) =>
    matcher.match({ bytes: Buffer.from(line), live }, now);

  test("is read in the zone that was given", () => {
    expect(match(dovecotLine, false)).toMatchObject({ at: Date.parse("2026-11-23T05:12:27Z") });
  });

  test("that is missing counts as now while live, and is refused in catch-up", () => {
    expect(match(undated, true)).toMatchObject({ at: judgedAt, user: "ann" });
    expect(match(undated, false)).toEqual({ refused: "undated", adapter: "dovecot" });
  });

  test("that is ahead counts as now for five minutes, and is refused beyond", () => {
    const stamped = Date.parse("2026-11-23T05:12:27Z");
    const early = stamped - 5 * 60_000;
    expect(match(dovecotLine, true, early)).toMatchObject({ at: early });
    expect(match(dovecotLine, true, early - 1)).toEqual({ refused: "ahead", adapter: "dovecot" });
  });
});

test.each(["10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.0.1", "::1", "fe80::1", "fd00::1"])(
  "%s is left to the guard",
  (client) => {
    expect(judge(dovecotLine.replace("192.0.2.7", client))).toMatchObject({ client });
  },
);

test.each([
  "0.0.0.0",
  "0.1.2.3",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::2",
  "::1:2",
  "::102:304",
  "::1.2.3.4",
  "::ffff:0.0.0.0",
  "::ffff:224.0.0.1",
  "ff02::1",
  "fe80::1%eth0",
  "[192.0.2.7]",
  "192.0.2.7:25",
  "192.0.2.0/24",
  "0192.0.2.7",
  "3221225991",
  "localhost",
  "",
])("%j is no client", (client) => {
  const match = judge(dovecotLine.replace("192.0.2.7", client));
  expect(match).toEqual({ refused: "address", adapter: "dovecot" });
});
