/** The judged lines of test/corpus, and lines that real daemons wrote in the lab. */
import { describe, expect, test } from "vitest";
import { isLogin } from "../../src/adapters/matcher.ts";
import { bytesOf, corpusOf, judge, judgedAt, linesOf, verdictOf } from "./judged.ts";

const ours = ["dovecot", "courier"];

/** Lines of our daemons that are judged otherwise on purpose: a part of the line, and why. */
const exceptions = new Map([
  [
    "session=<rip=6.6.6.6>",
    "A second `rip=` anywhere makes two readings. The session is Dovecot's own base64, which has no `rip=` in it, or free " +
      "text that a trusted proxy forwards for a client; that client loses only its own login.",
  ],
]);

const corpus = ["real", "adversarial"].flatMap((name) =>
  corpusOf(name).map((judged, index) => ({ ...judged, at: `${name} ${String(index + 1)}` })),
);

describe("the corpus", () => {
  test("is whole", () => {
    expect(corpus).toHaveLength(472);
    expect(corpus.filter(({ grants }) => grants)).toHaveLength(61);
  });

  const logins = corpus.filter(({ daemon, grants }) => grants && ours.includes(daemon));

  test("has these logins of Dovecot and Courier", () => {
    expect(logins).toHaveLength(52);
  });

  test.each(logins)("$at is a login: $why", ({ line, user, ip }) => {
    const match = judge(line);
    const reason = [...exceptions.keys()].find((part) => line.includes(part));
    if (reason === undefined) expect(match).toMatchObject({ user, client: ip });
    else expect(match).toEqual({ refused: "ambiguous", adapter: "dovecot" });
  });

  test("each exception is one line's", () => {
    for (const part of exceptions.keys()) {
      expect(logins.filter(({ line }) => line.includes(part))).toHaveLength(1);
    }
  });

  const others = corpus.filter(({ daemon, grants }) => !grants || !ours.includes(daemon));

  test.each(others)("$at is no login of Dovecot or Courier ($rule $policy): $why", ({ line }) => {
    const match = judge(line);
    expect(isLogin(match), verdictOf(match)).toBe(false);
  });

  test("is judged alike in every season, and grants nothing behind a CR", () => {
    for (const { line } of corpus) {
      for (const days of [20, 100, 190]) {
        const later = verdictOf(judge(line, judgedAt + days * 86_400_000));
        expect(later, line).toBe(verdictOf(judge(line)));
      }
      expect(isLogin(judge(`${line}\r`)), line).toBe(false);
    }
  });
});

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
  ];

  test.each(counts)("%s: %i logins, %i refused, of %i lines", (file, logins, refused, all) => {
    const lines = linesOf(`corpus/lab/${file}`);
    expect(lines).toHaveLength(all);
    const matches = lines.map((line) => judge(bytesOf(line)));
    expect(matches.filter(isLogin).map(({ client }) => client)).toEqual(
      lines.flatMap((line) => simpleClient(line) ?? []),
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
