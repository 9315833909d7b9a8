/** The judged lines of test/corpus, and lines that real daemons wrote in the lab. */
import { describe, expect, test } from "vitest";
import { isLogin } from "../../src/adapters/matcher.ts";
import { bytesOf, corpusOf, judge, judgeAll, judgedAt, linesOf, verdictOf } from "./judged.ts";

/** When the corpus is judged: its last line is of 24 November. */
const corpusAt = judgedAt + 2 * 86_400_000;

/** Lines that are judged otherwise on purpose: a part of the line, what it is judged, and why. */
const exceptions = new Map<string, readonly [verdict: string, why: string]>([
  [
    "session=<rip=6.6.6.6>",
    [
      "- ambiguous",
      "A second `rip=` anywhere makes two readings. The session is Dovecot's own base64, which has no `rip=` in it, or free " +
        "text that a trusted proxy forwards for a client; that client loses only its own login.",
    ],
  ],
]);

const corpus = ["real", "adversarial"].flatMap((name) =>
  corpusOf(name).map((judged, index) => ({ ...judged, at: `${name} ${String(index + 1)}` })),
);

/** What a line of the corpus is to be judged: its login, another verdict on purpose, or anything but a login. */
function expected({ line, grants, user, ip }: (typeof corpus)[number]): string | undefined {
  const exception = [...exceptions].find(([part]) => line.includes(part));
  if (exception !== undefined) return exception[1][0];
  return grants ? `${String(user)} ${String(ip)}` : undefined;
}

describe("the corpus, with all adapters on", () => {
  test("is whole", () => {
    expect(corpus).toHaveLength(472);
    expect(corpus.filter(({ grants }) => grants)).toHaveLength(61);
  });

  test.each(corpus.filter(({ grants }) => grants))("$at is a login: $why", (judged) => {
    expect(shortOf(judge(judged.line, corpusAt))).toBe(expected(judged));
  });

  test.each(corpus.filter(({ grants }) => !grants))(
    "$at is no login ($rule $policy): $why",
    (judged) => {
      const match = judge(judged.line, corpusAt);
      if (expected(judged) === undefined) expect(isLogin(match), verdictOf(match)).toBe(false);
      else expect(shortOf(match)).toBe(expected(judged));
    },
  );

  test("each exception is one line's", () => {
    for (const part of exceptions.keys()) {
      expect(corpus.filter(({ line }) => line.includes(part))).toHaveLength(1);
    }
  });

  test("is judged alike when it is read as one log", () => {
    const lines = corpus.map(({ line }) => line);
    expect(judgeAll(lines, corpusAt).map(verdictOf)).toEqual(
      lines.map((line) => verdictOf(judge(line, corpusAt))),
    );
  });

  test("is judged alike in every season, and grants nothing behind a CR", () => {
    for (const { line } of corpus) {
      for (const days of [20, 100, 190]) {
        const later = verdictOf(judge(line, corpusAt + days * 86_400_000));
        expect(later, line).toBe(verdictOf(judge(line, corpusAt)));
      }
      expect(isLogin(judge(`${line}\r`, corpusAt)), line).toBe(false);
    }
  });
});

function shortOf(match: ReturnType<typeof judge>): string {
  return isLogin(match) ? `${match.user} ${match.client}` : verdictOf(match);
}

describe("the lab's logs", () => {
  /** How many lines of each file are logins, refused logins, and neither. */
  const counts: [file: string, logins: number, refused: number, lines: number][] = [
    ["courier.syslog", 32, 0, 198],
    ["courier.rfc3339.log", 32, 0, 198],
    ["courier.rfc5424.sample", 6, 0, 12],
    ["courier-stderr.log", 0, 0, 57],
    ["courier-as-perdition-backend.syslog", 7, 0, 13],
    ["dovecot-logpath-default.log", 19, 0, 95],
    ["dovecot-logpath-evil-permissive.log", 16, 18, 88],
    ["dovecot-rsyslog-bsd.log", 38, 20, 193],
    ["dovecot-rsyslog-iso8601.log", 38, 20, 193],
    ["dovecot-rsyslog-rfc5424.log", 38, 20, 193],
    ["cyrus.syslog", 10, 0, 45],
    ["cyrus.rfc3339.log", 10, 0, 72],
    ["mailutils-acl-log.syslog", 7, 0, 103],
    ["mailutils-inetd.syslog", 0, 0, 42],
    ["mailutils-pop3d-imap4d.syslog", 0, 0, 72],
    ["mailutils.rfc3339.log", 7, 0, 217],
    ["perdition.syslog", 7, 0, 55],
    ["perdition.rfc3339.log", 7, 0, 55],
    ["popa3d.syslog", 3, 0, 27],
    ["popa3d.rfc3339.log", 3, 0, 27],
    ["solid-pop3d.inetd.syslog", 4, 0, 26],
    ["solid.rfc3339.log", 4, 0, 33],
    ["courier-debug-login.syslog", 1, 0, 68],
    ["exim-mainlog.log", 0, 0, 47],
    ["opensmtpd-debug.log", 0, 0, 19],
    ["sendmail-maillog.syslog", 0, 0, 11],
  ];

  test.each(counts)("%s: %i logins, %i refused, of %i lines", (file, logins, refused, all) => {
    const lines = linesOf(`corpus/lab/${file}`);
    expect(lines).toHaveLength(all);
    const matches = judgeAll(lines.map(bytesOf));
    expect(matches.filter(isLogin).map(({ client }) => client)).toEqual(
      lines.flatMap((line, index) => simpleClient(line) ?? otherClient(lines, index) ?? []),
    );
    expect(matches.filter(isLogin)).toHaveLength(logins);
    expect(matches.filter((match) => match && !isLogin(match))).toHaveLength(refused);
    expect(matches.filter(isLogin).filter(({ client }) => client === "6.6.6.6")).toEqual([]);
  });
});

/** The client of a lab line by another way than the adapters': words at fixed places. */
function simpleClient(line: string): string | undefined {
  const words = line.replace(/^<\d+>1 (\S+ \S+ \S+) - - - {2}/, "$1: ").split(" ");
  if (/^\d{4}-.*T/.test(words[0] ?? "")) words.unshift("", "");
  if (words[3]?.endsWith("-login:") === true) words.splice(3, 0, "mx", "dovecot:");
  const [, , , , tag = "", ...message] = words;
  const said = message.join(" ");
  if (/^(?:imapd|pop3d)(?:-ssl)?:$/.test(tag) && said.startsWith("LOGIN, ")) {
    return / ip=\[(?:::ffff:)?([^\]]*)\]/.exec(said)?.[1];
  }
  const isLoginWord = ["Login:", "Info: Login:"].some((word) =>
    said.replace(/^\S+-login: /, "").startsWith(word),
  );
  if (tag !== "dovecot:" || !isLoginWord || !/^(?:imap|pop3)-login: /.test(said)) return undefined;
  const isDoubtful = said.split("rip=").length !== 2 || /user=<[^,]*[<>][^,]*>, /.test(said);
  return isDoubtful ? undefined : / rip=([^,]*),/.exec(said)?.[1];
}

/** The same for the other daemons: the words of success, and the address on the same line or on the nearest one with the same key. */
function otherClient(lines: readonly string[], index: number): string | undefined {
  const line = lines[index] ?? "";
  const before = (text: string) =>
    lines.slice(0, index).findLast((one) => one.includes(text)) ?? "";
  const mailutils = / ([A-Za-z0-9]{8}) user `alice' logged in /.exec(line)?.[1];
  if (mailutils !== undefined) {
    return /inet6?:\/\/\[?(.*?)\]?:\d+: /.exec(before(` ${mailutils} inet`))?.[1];
  }
  const popa3d = /( popa3d\[\d+\]: )Authentication passed/.exec(line)?.[1];
  if (popa3d !== undefined) return before(`${popa3d}Session from `).split(" ").at(-1);
  if (/ solid-pop3d\[\d+\]: user alice authenticated - /.test(line)) return line.split(" ").at(-1);
  if (line.endsWith(' status="ok"')) return / Auth: ([\d.]+):/.exec(line)?.[1];
  if (line.includes(" User logged in SESSIONID="))
    return /login: [^[]*\[([^\]]*)\]/.exec(line)?.[1];
  return undefined;
}
