/** Whatever a stranger writes into the fields that he can choose, the client that is granted is his own, or none. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { isLogin } from "../../src/adapters/matcher.ts";
import { cases, long } from "./cases.ts";
import { bytesOf, judge, judgeAll, judgedAt, matcherOfAll, samplesOf } from "./judged.ts";
import { words } from "./words.ts";

const victim = "192.0.2.7";

/** What ends a field. */
const closers = ['", ', '"', ">, ", ">", "] ", "]", "' ", "'", "; ", ";", ", ", " ", ")", ": "];

/** Texts that a forger would try: words of the daemons, and the ends of genuine lines with his own address. */
function textsOf(lines: readonly string[]): fc.Arbitrary<string> {
  const tokens = lines.map((line) => line.match(/[A-Za-z0-9.:]+|[^A-Za-z0-9.:]/g) ?? []);
  const cut = fc
    .tuple(fc.constantFrom(...tokens), fc.nat(40), fc.nat(4))
    .map(([all, from, behind]) => all.slice(from, all.length - behind).join(""));
  const pieces = fc.oneof(
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    { weight: 3, arbitrary: fc.constantFrom(...closers) },
    { weight: 3, arbitrary: cut },
  );
  return fc.array(pieces, { maxLength: 8 }).map((all) => all.join("").replaceAll("\n", "?"));
}

/** The messages of one login, each behind its tag, with what a client chooses put in. The last one is the login. */
type Shape = (user: string, other: string) => string | string[];

const quoted = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`;
const doubled = (value: string) => value.replaceAll("\r", " ").replaceAll(";", ";;");
const escaped = (value: string) =>
  value.replaceAll("\\", "\\\\").replaceAll("\r", "\\r").replaceAll("\t", "\\t");

/** The genuine lines of every adapter. */
const shapes: [adapter: string, name: string, shape: Shape][] = [
  [
    "dovecot",
    "the default elements",
    (user, session) =>
      `dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${victim}, lip=10.0.0.1, mpid=7, TLS, session=<${session}>`,
  ],
  [
    "dovecot",
    "a method",
    (user, method) =>
      `dovecot: pop3-login: Logged in: user=<${user}>, method=${method}, rip=${victim}, lip=10.0.0.1, mpid=7, TLS`,
  ],
  [
    "dovecot",
    "the address first",
    (user, session) =>
      `dovecot: imap-login: Login: rip=${victim}, session=<${session}>, user=<${user}>, method=PLAIN, TLS`,
  ],
  [
    "dovecot",
    "the address in the middle",
    (user, error) =>
      `dovecot: imap-login: Login: session=<x>, TLS: ${error}, user=<${user}>, rip=${victim}, lip=10.0.0.1`,
  ],
  [
    "dovecot",
    "the proxy's address beside the client's",
    (user, session) =>
      `dovecot: imap-login: Login: user=<${user}>, rip=${victim}, real_rip=10.0.0.1, lip=10.0.0.1, session=<${session}>`,
  ],
  [
    "dovecot-proxy",
    "2.4",
    (user, session) =>
      `dovecot: imap-login: proxy(${user},10.0.0.5:143): Started proxying to remote host (0.1 secs): user=<${user}>, method=PLAIN, rip=${victim}, lip=10.0.0.1, session=<${session}>`,
  ],
  [
    "dovecot-proxy",
    "2.2",
    (user, host) =>
      `dovecot: pop3-login: proxy(${user}): started proxying to ${host}: user=<${user}>, method=PLAIN, rip=${victim}, lip=10.0.0.1`,
  ],
  [
    "courier",
    "IMAP",
    (user) => `imapd: LOGIN, user=${user}, ip=[::ffff:${victim}], port=[5], protocol=IMAP`,
  ],
  ["courier", "POP3", (user) => `pop3d: LOGIN, user=${user}, ip=[${victim}], port=[5], stls=1`],
  ["courier", "of old", (user) => `courierpop3login: LOGIN, user=${user}, ip=[::ffff:${victim}]`],
  [
    "cyrus",
    "3.6",
    (user, host) =>
      `cyrus/imap[9]: login: ${host} [${victim}] ${user} PLAIN+TLS User logged in SESSIONID=<mx-1-2>`,
  ],
  [
    "cyrus",
    "2.x",
    (user, host) => `pop3d[9]: login: ${host}[${victim}] ${user} plaintext User logged in`,
  ],
  [
    "cyrus",
    "logfmt",
    (user, host) =>
      `cyrus/pop3[9]: event=login.good r.sessionid=a r.clienthost=${quoted(`${host} [${victim}]`)} u.username=${quoted(user)} login.mech=PLAIN login.tls=1`,
  ],
  [
    "uw",
    "IMAP",
    (user, host) =>
      `imapd[9]: Authenticated user=${user.slice(0, 80)} host=${`${host} [${victim}]`.slice(0, 80)} mech=PLAIN`,
  ],
  [
    "uw",
    "POP3",
    (user, host) =>
      `ipop3d[9]: Login user=${user.slice(0, 80)} host=${`${host} [${victim}]`.slice(0, 80)} nmsgs=1/2`,
  ],
  [
    "mailutils",
    "POP3",
    (user, mailbox) => [
      `pop3d[9]: 2AN6apmB inet://${victim}:38429: undefined ACL result; access allowed`,
      `pop3d[10]: 2AN6apmB user \`${user}' nonexistent`,
      `pop3d[10]: 2AN6apmB user \`${user}' logged in with mailbox \`${mailbox}' (1 message)`,
    ],
  ],
  [
    "mailutils",
    "IMAP",
    (user, other) => [
      `imap4d[9]: 2AN6apmB inet://${victim}:38429: undefined ACL result; access allowed`,
      `imap4d[10]: 2AN6apmB login failed: ${other}`,
      `imap4d[10]: 2AN6apmB user \`${user}' logged in (source: system)`,
    ],
  ],
  [
    "perdition",
    "2.x",
    (user, id) =>
      `perdition.imaps[9]: Auth: ${victim}:5->10.0.0.1:993 client-secure=ssl authorisation_id=${id} authentication_id="${user}" server="h:143" protocol=IMAP4S server-secure=ssl status="ok"`,
  ],
  [
    "perdition",
    "1.x",
    (user) =>
      `perdition[9]: Auth: ${victim}->10.0.0.1 user="${user}" server="h" port="110" status="ok"`,
  ],
  [
    "nginx",
    "syslog",
    (user, other) =>
      `nginx: 2026/11/23 06:12:27 [info] 1#1: *3 client logged in, client: ${victim}:5, server: 0.0.0.0:993, login: "${user}", upstream: ${other}`,
  ],
  [
    "stalwart",
    "journal",
    (user, other) =>
      `stalwart[9]: 2026-11-23T06:12:27Z INFO Authentication successful (auth.success) listenerId = "imap", localPort = 143, remoteIp = ${victim}, remotePort = 5, helo = "${escaped(other)}", accountName = "${escaped(user)}"`,
  ],
  [
    "zimbra",
    "audit.log",
    (user, agent) =>
      `2026-11-23 06:12:27,100 INFO  [ImapServer-1] [ip=10.0.0.1;oip=${victim};ua=${doubled(agent)};] security - cmd=Auth; account=${doubled(user)}; protocol=imap;`,
  ],
  [
    "zimbra",
    "audit.log without a proxy",
    (user, agent) =>
      `2026-11-23 06:12:27,100 INFO  [Pop3Server-1] [ip=${victim};ua=${doubled(agent)};] security - cmd=Auth; account=${doubled(user)}; protocol=pop3;`,
  ],
  [
    "kerio",
    "syslog",
    (user) => `audit: IMAP: User ${user} authenticated from IP address ${victim}`,
  ],
  [
    "dbmail",
    "IMAP",
    (user) => `dbmail-imapd[9]: [0x55] login accepted: id [5] user [${user}] from [${victim}:5]`,
  ],
  [
    "vpopmail",
    "POP3",
    (user) => `vpopmail[9]: vchkpw-pop3: (PLAIN) login success ${user}:${victim}`,
  ],
  ["vpopmail-old", "POP3", (user) => `vpopmail[9]: vchkpw: login [${user}] from ${victim}`],
  [
    "qpopper",
    "a login",
    (user, host) =>
      `qpopper[9]: (v4.0.9) POP login by user "${user}" at (${host}) ${victim} [pop_log.c:244]`,
  ],
  [
    "qpopper",
    "without the place",
    (user, host) => `qpopper[9]: (v4.0.5) POP login by user "${user}" at (${host}) ${victim}`,
  ],
  [
    "qpopper",
    "statistics",
    (user, host) => `qpopper[9]: Stats: ${user} 0 0 3 4096 ${host} ${victim}`,
  ],
  [
    "popa3d",
    "two lines",
    (user) => [`popa3d[9]: Session from ${victim}`, `popa3d[9]: Authentication passed for ${user}`],
  ],
  ["solid-pop3d", "extended", (user) => `solid-pop3d[9]: user ${user} authenticated - ${victim}`],
  [
    "solid-pop3d",
    "two lines",
    (user) => [`spop3d[9]: connect from ${victim}`, `spop3d[9]: user ${user} authenticated`],
  ],
  [
    "teapop",
    "POP3",
    (user, host) => `teapop[9]: Successful login for ${user} [10.0.0.1] from ${host} [${victim}]`,
  ],
  [
    "tpop3d",
    "POP3",
    (user, domain) =>
      `tpop3d[9]: fork_child: [5]${victim}/${domain}: began session for \`${user}' with mysql; child PID is 7`,
  ],
  [
    "vm-pop3d",
    "one line",
    (user) => `vm-pop3d[9]: User '${user}' logged in from ${victim}, nmsgs=3`,
  ],
  [
    "vm-pop3d-old",
    "two lines",
    (user) => [`vm-pop3d[9]: Connect from ${victim}`, `vm-pop3d[9]: User '${user}' logged in`],
  ],
  [
    "gnu-pop3d",
    "one line",
    (user, mailbox) =>
      `gnu-pop3d[9]: User ${user} logged in with mailbox ${mailbox} from ${victim}`,
  ],
];

/** The messages that are written when the forger logs in. */
const forgersOf = (shape: Shape) =>
  [shape("bob", "x")].flat().map((message) => message.replaceAll(victim, "6.6.6.6"));

/** Puts syslog's prefix before a message that has none of its own. */
const lineOf = (message: string) =>
  message.startsWith("2026-") ? message : `Nov 23 06:12:27 mx1 ${message}`;

test("every adapter has its shape", () => {
  const known = new Set(shapes.map(([adapter]) => adapter));
  expect([...known].sort()).toEqual(adapters.map(({ name }) => name).sort());
});

describe.each(shapes)("%s, %s", (adapter, _name, shape) => {
  const lastOf = (user: string, other: string) =>
    judgeAll([shape(user, other)].flat().map(lineOf)).at(-1);

  test("grants for ordinary text", () => {
    expect(lastOf("ann@example.org", "PLAIN")).toMatchObject({ client: victim, adapter });
  });

  test("never grants a forged client", long, () => {
    const text = textsOf(forgersOf(shape));
    fc.assert(
      fc.property(text, text, (user, other) => {
        const match = lastOf(user, other);
        if (isLogin(match)) expect(match.client).toBe(victim);
      }),
      { numRuns: cases(1000) },
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
    "Cyrus",
    (user, host) =>
      `cyrus/imap[9]: badlogin: ${host} [${victim}] plaintext (${user}) [SASL(-13): authentication failure: checkpass failed]`,
  ],
  [
    "Cyrus' logfmt",
    (user, host) =>
      `cyrus/imap[9]: event=login.bad r.clienthost=${quoted(`${host} [${victim}]`)} u.username=${quoted(user)} error="x"`,
  ],
  [
    "UW",
    (user, host) =>
      `imapd[9]: Login failed user=${user.slice(0, 64)} auth=${user.slice(0, 64)} host=${`${host} [${victim}]`.slice(0, 80)}`,
  ],
  [
    "UW's gateway",
    (user, host) => `ipop3d[9]: IMAP login to host=${host} user=${user} host=[${victim}]`,
  ],
  ["UW's anonymous", (password) => `imapd[9]: Login anonymous=${password} host=[${victim}]`],
  ["mailutils", (user) => `pop3d[9]: 2AN6apmB user \`${user}' nonexistent`],
  ["mailutils without sessions", (user) => `imap4d[9]: login failed: ${user}`],
  [
    "Perdition",
    (user, id) =>
      `perdition.pop3[9]: Auth: ${victim}:5->1:110 client-secure=ssl authorisation_id=${id} authentication_id="${user}" server="h:1" protocol=POP3 server-secure=ssl status="failed: Re-Authentication Failure"`,
  ],
  [
    "nginx",
    (user) =>
      `nginx: 2026/11/23 06:12:27 [info] 1#1: *3 client login failed: "x" while in http auth state, client: ${victim}, server: 0.0.0.0:993, login: "${user}"`,
  ],
  [
    "nginx, the web",
    (agent, path) =>
      `nginx: 2026/11/23 06:12:27 [error] 1#1: *3 open() "/${path}" failed (2: No such file or directory), client: ${victim}, request: "GET ${agent} HTTP/1.1"`,
  ],
  [
    "Stalwart",
    (user) =>
      `stalwart[9]: 2026-11-23T06:12:27Z INFO Authentication failed (auth.failed) listenerId = "imap", remoteIp = ${victim}, accountName = "${escaped(user)}"`,
  ],
  [
    "Zimbra",
    (user, agent) =>
      `2026-11-23 06:12:27,100 INFO  [ImapServer-1] [ip=${victim};ua=${doubled(agent)};] security - cmd=Auth; account=${doubled(user)}; protocol=imap; error=authentication failed for [${doubled(user)}], invalid password;`,
  ],
  ["an audit", (user) => `audit: type=1112 msg='op=login acct="${user}" res=failed'`],
  ["DBMail", (user) => `dbmail-imapd[9]: [0x55] login rejected: user [${user}] from [${victim}:5]`],
  [
    "vpopmail",
    (user, password) =>
      `vpopmail[9]: vchkpw-pop3: password fail (pass: '${password}') ${user}:${victim}`,
  ],
  [
    "vpopmail's unknown",
    (user) => `vpopmail[9]: vchkpw-pop3: vpopmail user not found ${user}:${victim}`,
  ],
  [
    "qpopper",
    (user, host) =>
      `qpopper[9]: [AUTH] Failed attempted login to ${user} from host (${host}) ${victim} [pop_pass.c:1]`,
  ],
  ["popa3d", (user) => `popa3d[9]: Authentication failed for ${user}`],
  [
    "solid-pop3d",
    (user) => `solid-pop3d[9]: authentication failed: no such user: ${user} - ${victim}`,
  ],
  ["solid-pop3d, two lines", (user) => `spop3d[9]: authentication failed for user ${user}`],
  [
    "teapop",
    (user, host) => `teapop[9]: Failed login for ${user} [10.0.0.1] from ${host} [${victim}]`,
  ],
  ["tpop3d", (user) => `tpop3d[9]: authcontext_new_user_pass: [5]${victim}: failed for \`${user}'`],
  [
    "Postfix",
    (from, helo) =>
      `postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[${victim}]: 554 5.7.1 from=<${from}> helo=<${helo}>`,
  ],
  ["Sendmail", (from, helo) => `sendmail[9]: AAA: from=${from}, size=0, relay=${helo} [${victim}]`],
  ["a program that prints nothing else", (all) => `app[1]: ${all}`],
];

test.each(failures)("%s: no text makes a login, nor half of one", long, (_name, messageOf) => {
  const text = textsOf(shapes.flatMap(([, , shape]) => forgersOf(shape)));
  fc.assert(
    fc.property(text, text, (user, other) => {
      const matcher = matcherOfAll();
      const bytes = bytesOf(lineOf(messageOf(user, other)));
      expect(matcher.match({ bytes, live: false }, judgedAt)).toBeUndefined();
      expect(matcher.openLines(judgedAt)).toEqual([]);
    }),
    { numRuns: cases(500) },
  );
});

/** Daemons whose message ends in the address, and nothing tells whether that was cut. */
const endsInAddress = [
  "qpopper",
  "popa3d",
  "solid-pop3d",
  "vpopmail",
  "vpopmail-old",
  "vm-pop3d",
  "vm-pop3d-old",
  "gnu-pop3d",
  "kerio",
];

test.each(adapters)(
  "$name: a sample that was cut anywhere grants its own client, or none",
  ({ name }) => {
    const samples = samplesOf(name);
    samples.forEach(({ line, verdict }, index) => {
      if (!verdict.startsWith("=")) return;
      const before = samples.slice(Math.max(0, index - 3), index).map((sample) => sample.line);
      const bytes = Buffer.from(line);
      const own = verdict.split(" ").at(-1) ?? "";
      for (let length = 0; length < bytes.length; length++) {
        const match = judgeAll([...before, bytes.subarray(0, length)]).at(-1);
        if (!isLogin(match) || match.client === own) continue;
        const isCutAddress = own.startsWith(match.client);
        expect(isCutAddress && endsInAddress.includes(name), line.slice(0, length)).toBe(true);
      }
    });
  },
);

test("a sample behind the start of another line grants nothing but its own client", () => {
  for (const { name } of adapters) {
    // Without a name it may take the start of the other one for it.
    for (const { line, verdict } of samplesOf(name).filter(
      (sample) => !["- user", "- anonymous"].includes(sample.verdict),
    )) {
      for (let length = 1; length < 40; length++) {
        const match = judge(line.slice(0, length) + line);
        const isOwn = isLogin(match) && verdict.endsWith(` ${match.client}`);
        expect(isLogin(match) && !isOwn, line.slice(0, length) + line).toBe(false);
      }
    }
  }
});
