/** Whatever a stranger writes into the fields that he can choose, the client that is granted is his own, or none. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLogin } from "../../src/adapters/matcher.ts";
import { judge, samplesOf } from "./judged.ts";

const victim = "192.0.2.7";

/** Pieces of the daemons' own lines, from which a forger would build his. */
const pieces = fc.oneof(
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "rip=",
      "6.6.6.6",
      "rip=6.6.6.6, ",
      "lip=",
      "user=<",
      "<",
      ">",
      ">, ",
      ", ",
      ",",
      " ",
      "=",
      "ip=[6.6.6.6]",
      "ip=[",
      "]",
      "[",
      ", port=[1]",
      ", protocol=IMAP",
      ", stls=1",
      "::ffff:6.6.6.6",
      "Login: ",
      "Logged in: ",
      "LOGIN, user=",
      "imap-login: ",
      "Info: ",
      "dovecot: ",
      "imapd: ",
      "session=<",
      "method=PLAIN, ",
      "TLS",
      "Nov 23 06:12:27 ",
      "mx1 ",
      "message repeated 2 times: [ ",
      "...",
      "?",
      "%",
      "\\",
      "#012",
      "\uFEFF",
      "é",
      "\u00A0",
    ),
  },
);
const text = fc.array(pieces, { maxLength: 12 }).map((all) => all.join("").replaceAll("\n", "?"));

/** The genuine line of each shape, with what a client chooses put in. */
const shapes: [name: string, line: (user: string, other: string) => string][] = [
  [
    "Dovecot",
    (user, session) =>
      `dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${victim}, lip=10.0.0.1, mpid=7, TLS, session=<${session}>`,
  ],
  [
    "Dovecot, a method",
    (user, method) =>
      `dovecot: pop3-login: Logged in: user=<${user}>, method=${method}, rip=${victim}, lip=10.0.0.1, mpid=7, TLS`,
  ],
  [
    "Dovecot, the address first",
    (user, session) =>
      `dovecot: imap-login: Login: rip=${victim}, session=<${session}>, user=<${user}>, method=PLAIN, TLS`,
  ],
  [
    "Dovecot, the address in the middle",
    (user, error) =>
      `dovecot: imap-login: Login: session=<x>, TLS: ${error}, user=<${user}>, rip=${victim}, lip=10.0.0.1`,
  ],
  [
    "Courier IMAP",
    (user) => `imapd: LOGIN, user=${user}, ip=[::ffff:${victim}], port=[5], protocol=IMAP`,
  ],
  ["Courier POP3", (user) => `pop3d: LOGIN, user=${user}, ip=[${victim}], port=[5], stls=1`],
  ["Courier of old", (user) => `courierpop3login: LOGIN, user=${user}, ip=[::ffff:${victim}]`],
];

describe.each(shapes)("%s", (_name, lineOf) => {
  const line = (user: string, other: string) => `Nov 23 06:12:27 mx1 ${lineOf(user, other)}`;

  test("grants for ordinary text", () => {
    expect(judge(line("ann@example.org", "PLAIN"))).toMatchObject({ client: victim });
  });

  test("never grants a forged client", () => {
    fc.assert(
      fc.property(text, text, (user, other) => {
        const match = judge(line(user, other));
        if (isLogin(match)) expect(match.client).toBe(victim);
      }),
      { numRuns: 4000 },
    );
  });
});

/** What a stranger can make the daemons write without a password: none of it is a login. */
const failures: [name: string, line: (user: string, other: string) => string][] = [
  [
    "Dovecot up to 2.3",
    (user, method) =>
      `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${user}>, method=${method}, rip=${victim}, lip=10.0.0.1, TLS`,
  ],
  [
    "Dovecot 2.4",
    (user, session) =>
      `dovecot: pop3-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<${user}>, rip=${victim}, session=<${session}>`,
  ],
  [
    "Dovecot's ID",
    (id, name) =>
      `dovecot: imap-login: ID sent: ${name}=${id}: user=<>, rip=${victim}, lip=10.0.0.1`,
  ],
  ["Dovecot's sessions", (user, id) => `dovecot: imap(${user})<7><${id}>: Logged out in=1 out=2`],
  [
    "Dovecot's auth",
    (user, password) =>
      `dovecot: auth: pam(${user},${victim}): unknown user (given password: ${password})`,
  ],
  ["Courier", (user) => `imapd: LOGIN FAILED, user=${user}, ip=[::ffff:${victim}], port=[5]`],
  ["Courier's methods", (method) => `imapd: LOGIN FAILED, method=${method}, ip=[::ffff:${victim}]`],
  [
    "Postfix",
    (from, helo) =>
      `postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[${victim}]: 554 5.7.1 from=<${from}> helo=<${helo}>`,
  ],
  ["a program that prints nothing else", (all) => `app[1]: ${all}`],
];

test.each(failures)("%s: no text makes a login", (_name, lineOf) => {
  fc.assert(
    fc.property(text, text, (user, other) => {
      expect(judge(`Nov 23 06:12:27 mx1 ${lineOf(user, other)}`)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test("a sample that was cut anywhere grants its own client, or none", () => {
  const logins = ["dovecot", "courier"].flatMap((name) =>
    samplesOf(name).filter(({ verdict }) => verdict.startsWith("=")),
  );
  for (const { line, verdict } of logins) {
    const bytes = Buffer.from(line);
    for (let length = 0; length < bytes.length; length++) {
      const match = judge(bytes.subarray(0, length));
      if (isLogin(match)) expect(verdict.endsWith(` ${match.client}`), line).toBe(true);
    }
  }
});

test("a sample behind the start of another line grants nothing", () => {
  for (const { line } of samplesOf("dovecot")) {
    for (let length = 1; length < 40; length++) {
      const match = judge(line.slice(0, length) + line);
      expect(isLogin(match), line.slice(0, length) + line).toBe(false);
    }
  }
});
