/** What is found on hosts that consist of a few files and answers. */
import { describe, expect, test } from "vitest";
import { defaultAdapters } from "../src/adapters/index.ts";
import type { Run } from "../src/run.ts";
import { hostFiles, surveyHost, type Files } from "../src/survey.ts";

const now = Date.parse("2026-11-23T07:00:00Z");
const login =
  "2026-11-23T06:20:54+00:00 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7";

function answering(answers: Readonly<Record<string, string>>): Run {
  return (argv) => {
    const stdout = answers[argv.join(" ")];
    const missing = !Object.keys(answers).some((line) => line.split(" ")[0] === argv[0]);
    const ok = stdout !== undefined;
    return Promise.resolve({ ok, missing, stdout: stdout ?? "", stderr: "", reason: "" });
  };
}

function having(texts: Readonly<Record<string, string>>): Files {
  const paths = Object.keys(texts);
  return {
    read: (path) => texts[path],
    list: (directory) => {
      const below = paths.filter((path) => path.startsWith(`${directory}/`));
      return [
        ...new Set(below.map((path) => path.slice(directory.length + 1).split("/")[0] ?? "")),
      ];
    },
    lines: (path) => texts[path]?.split("\n").map((line) => Buffer.from(line)),
  };
}

const survey = (texts: Record<string, string>, answers: Record<string, string> = {}) =>
  surveyHost({ run: answering(answers), files: having(texts), adapters: defaultAdapters, now });

test("an empty host", async () => {
  expect(await survey({})).toMatchObject({
    processes: [],
    dovecot: undefined,
    routes: [],
    logs: [],
    journal: false,
    mtas: [],
  });
});

test("processes, the journal, and a syslog log with logins", async () => {
  const facts = await survey({
    "/proc/1/comm": "systemd\n",
    "/proc/77/comm": "dovecot\n",
    "/proc/self/comm": "node\n",
    "/run/systemd/journal/socket": "",
    "/etc/rsyslog.d/50-mail.conf": "mail.* /var/log/mail/all",
    "/etc/rsyslog.d/50-mail.conf.bak": "mail.* /var/log/other",
    "/var/log/mail/all": [login, "anything", login].join("\n"),
    "/var/log/maillog": "anything",
  });
  expect(facts.processes).toEqual(["dovecot", "systemd"]);
  expect(facts.journal).toBe(true);
  expect(facts.routes).toEqual([
    { path: "/var/log/mail/all", dedicated: true, config: "/etc/rsyslog.d/50-mail.conf" },
  ]);
  expect(facts.logs.map(({ path, lines, logins }) => [path, lines, [...logins]])).toEqual([
    ["/var/log/mail/all", 3, [["dovecot", 2]]],
    ["/var/log/maillog", 1, []],
  ]);
});

const doveconf = "doveconf -h log_path info_log_path syslog_facility";
test.each([
  ["\n\nmail", { setting: "log_path", path: undefined, toStderr: false, facility: "mail" }],
  ["syslog\n\nlocal3", { path: undefined, toStderr: false, facility: "local3" }],
  ["/var/log/d.log\n\nmail", { setting: "log_path", path: "/var/log/d.log", toStderr: false }],
  ["syslog\n/var/log/i.log\nmail", { setting: "info_log_path", path: "/var/log/i.log" }],
  ["/dev/stderr\n\nmail", { path: undefined, toStderr: true }],
])("Dovecot's log: %j", async (answer, dovecot) => {
  const texts = { "/etc/syslog.conf": "local3.* /var/log/three\nmail.* /var/log/mail.log" };
  const facts = await survey(texts, { [doveconf]: answer });
  expect(facts.dovecot).toMatchObject(dovecot);
  expect(facts.routes.map(({ path }) => path)).toEqual([
    answer.includes("local3") ? "/var/log/three" : "/var/log/mail.log",
  ]);
});

describe("the MTA", () => {
  const postfix = {
    "postconf -h mail_version": "3.7.11",
    "postconf -h default_database_type": "lmdb",
    "postconf -Px": "",
    "postconf -xh smtpd_relay_restrictions": "reject",
    "postconf -xh smtpd_recipient_restrictions": "",
    "postconf -xh smtpd_client_restrictions": "",
  };
  const running = { "/proc/5/comm": "master", "/proc/6/comm": "qmgr", "/proc/7/comm": "smtpd" };
  test.each<[string, Record<string, string>, Record<string, string>, readonly object[]]>([
    [
      "Postfix",
      running,
      postfix,
      [
        {
          mta: "postfix",
          version: "3.7.11",
          runs: true,
          type: "lmdb",
          restrictions: { relay: "reject" },
        },
      ],
    ],
    [
      "Sendmail, with Postfix's programs beside it",
      { "/etc/mail/sendmail.cf": "V10/Berkeley\nDZ8.17.1.9\n", "/proc/9/comm": "sendmail-mta" },
      postfix,
      [
        { mta: "postfix", runs: false },
        { mta: "sendmail", version: "8.17.1.9", by: "/etc/mail/sendmail.cf", runs: true },
      ],
    ],
    [
      "Exim",
      { "/proc/9/comm": "exim4" },
      { "exim4 -bV": "Exim version 4.96 #2 built 23-Feb-2025" },
      [{ mta: "exim", version: "4.96", runs: true }],
    ],
    ["OpenSMTPD", { "/proc/9/comm": "smtpd" }, { smtpctl: "" }, [{ mta: "opensmtpd", runs: true }]],
    [
      "Postfix's smtpd is not OpenSMTPD's",
      running,
      { ...postfix, smtpctl: "" },
      [{ mta: "postfix" }, { mta: "opensmtpd", runs: false }],
    ],
  ])("%s", async (_, texts, answers, mtas) => {
    const found = (await survey(texts, answers)).mtas;
    expect(found).toMatchObject(mtas);
    expect(found).toHaveLength(mtas.length);
  });
});

test("what may not be read is no fact", () => {
  expect(hostFiles.read("/nowhere/a")).toBeUndefined();
  expect(hostFiles.list("/nowhere")).toEqual([]);
  expect(hostFiles.lines("/nowhere/a")).toBeUndefined();
  expect(hostFiles.list("/proc")).toContain(String(process.pid));
});
