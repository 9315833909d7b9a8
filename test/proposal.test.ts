import { describe, expect, test } from "vitest";
import { adapters } from "../src/adapters/index.ts";
import { parseConfig } from "../src/config.ts";
import type { HostFacts, LogFacts } from "../src/facts.ts";
import { mtas } from "../src/maps/index.ts";
import { propose, runningDaemons } from "../src/proposal.ts";

const names = adapters.map(({ name }) => name);

const bare: HostFacts = {
  host: "mx",
  processes: [],
  dovecot: undefined,
  routes: [],
  logs: [],
  journal: false,
  mtas: [],
};
const postfix = { mta: "postfix", version: "3.7.11", by: "postconf", runs: true, type: "lmdb" };
const exim = { mta: "exim", version: "4.96", by: "exim4 -bV", runs: false };
const sendmail = { mta: "sendmail", version: "8.17.1", by: "/etc/mail/sendmail.cf", runs: true };
const dovecot = { setting: "log_path", path: undefined, toStderr: false, facility: "mail" };
const ownLog = { ...dovecot, setting: "info_log_path", path: "/var/log/dovecot.log" };
const route = (path: string, dedicated = true) => ({
  path,
  dedicated,
  config: "/etc/rsyslog.conf",
});
const log = (path: string, logins: Record<string, number> = {}): LogFacts => ({
  path,
  lines: 100,
  logins: new Map(Object.entries(logins)),
});

/** The proposal as a config, which it has to be. */
function proposed(facts: Partial<HostFacts>) {
  const proposal = propose({ ...bare, ...facts }, adapters, mtas);
  const { source, map } = parseConfig(proposal.text, "proposal", names);
  const sources = source.map(({ type, adapters, ...rest }) => [
    "path" in rest ? rest.path : type,
    adapters,
  ]);
  return { ...proposal, sources, map };
}

describe("the sources", () => {
  test.each<[string, Partial<HostFacts>, unknown]>([
    ["nothing at all", {}, [["/var/log/mail.log", undefined]]],
    [
      "Dovecot's own log",
      { dovecot: ownLog, processes: ["dovecot"], logs: [log("/var/log/dovecot.log")] },
      [["/var/log/dovecot.log", ["dovecot"]]],
    ],
    [
      "Dovecot's own log, and Courier in syslog",
      {
        dovecot: ownLog,
        processes: ["couriertcpd", "dovecot"],
        routes: [route("/var/log/mail.log")],
        logs: [log("/var/log/dovecot.log", { dovecot: 3 }), log("/var/log/mail.log")],
      },
      [
        ["/var/log/dovecot.log", ["dovecot"]],
        ["/var/log/mail.log", ["courier"]],
      ],
    ],
    [
      "logins of another daemon beside Dovecot's own log",
      {
        dovecot: ownLog,
        processes: ["dovecot"],
        logs: [log("/var/log/dovecot.log"), log("/var/log/maillog", { cyrus: 2 })],
      },
      [
        ["/var/log/dovecot.log", ["dovecot"]],
        ["/var/log/maillog", ["cyrus"]],
      ],
    ],
    [
      "syslog: the log for mail alone comes before that for everything",
      {
        dovecot,
        processes: ["dovecot"],
        routes: [route("/var/log/syslog", false), route("/var/log/mail.log")],
        logs: [log("/var/log/syslog"), log("/var/log/mail.log")],
        journal: true,
      },
      [["/var/log/mail.log", ["dovecot"]]],
    ],
    [
      "syslog: the log that has logins comes first",
      {
        dovecot,
        processes: ["dovecot"],
        routes: [route("/var/log/mail.log")],
        logs: [log("/var/log/mail.log"), log("/var/log/maillog", { dovecot: 1 })],
      },
      [["/var/log/maillog", ["dovecot"]]],
    ],
    [
      "the journal, where no syslog daemon writes",
      { dovecot, processes: ["dovecot"], journal: true },
      [["journal", ["dovecot"]]],
    ],
    [
      "the journal, where a mail log was left behind by a syslog daemon that is gone",
      { dovecot, processes: ["dovecot"], journal: true, logs: [log("/var/log/mail.log")] },
      [["journal", ["dovecot"]]],
    ],
  ])("%s", (_, facts, sources) => {
    expect(proposed(facts).sources).toEqual(sources);
  });
});

describe("the map", () => {
  test.each<[string, Partial<HostFacts>, object, readonly string[]]>([
    ["nothing at all", {}, { mta: "postfix", table: "lmdb:/var/lib/popgate/relay" }, []],
    ["Postfix", { mtas: [postfix] }, { mta: "postfix", table: "lmdb:/var/lib/popgate/relay" }, []],
    ["Exim", { mtas: [exim] }, { mta: "exim", table: "/var/lib/popgate/relay" }, []],
    [
      "OpenSMTPD",
      { mtas: [{ mta: "opensmtpd", by: "smtpctl", runs: true }] },
      { mta: "opensmtpd", table: "/var/lib/popgate/relay" },
      [],
    ],
    [
      "the one that runs",
      { mtas: [{ ...postfix, runs: false }, sendmail] },
      { mta: "sendmail", table: "/var/lib/popgate/relay" },
      ["postfix is installed, too; a further [[map]] would be for it"],
    ],
    [
      "one that popgate does not know",
      { mtas: [{ mta: "qmail", by: "qmail", runs: true }, exim] },
      { mta: "exim", table: "/var/lib/popgate/relay" },
      ["qmail runs; popgate does not write for it"],
    ],
  ])("%s", (_, facts, map, notes) => {
    expect(proposed(facts)).toMatchObject({ map: [map], notes });
  });
});

test.each<[string, Partial<HostFacts>, RegExp]>([
  [
    "Dovecot that prints",
    { dovecot: { ...dovecot, toStderr: true }, journal: true },
    /set its log_path to "syslog"/,
  ],
  [
    "a file beside a journal",
    { journal: true, routes: [route("/var/log/mail.log")], logs: [log("/var/log/mail.log")] },
    /^every local user can forge/,
  ],
])("a note on %s", (_, facts, note) => {
  expect(proposed(facts).notes).toEqual([expect.stringMatching(note)]);
});

test("every line has a reason above it, and what a host calls itself stays in its comment", () => {
  const { text } = proposed({ host: 'mx\n[guard]\nallow = ["0.0.0.0/0"]', mtas: [postfix] });
  expect(text).not.toContain("\n[guard]\nallow");
  const lines = text.split("\n");
  for (const [at, line] of lines.entries()) {
    if (!/^(?:\w+ = |\[\[)/.test(line)) continue;
    const above = lines[at - 1] ?? "";
    expect(above, line).toMatch(/^#|^\[\[/);
  }
  expect(text).toMatch(/^# The MTA of this host is postfix 3\.7\.11 \(postconf\), and it runs\.$/m);
});

test.each<[readonly string[], readonly string[]]>([
  [["bash", "dovecot", "master"], ["dovecot"]],
  [["couriertcpd", "imapd"], ["courier"]],
  [["cyrmaster"], ["cyrus"]],
  [
    ["popa3d", "perdition.pop3"],
    ["popa3d", "perdition"],
  ],
  // Several daemons have a program of this name.
  [["imapd", "pop3d"], []],
  // A web server has the same name, and so the adapter is off.
  [["nginx"], []],
])("of the processes %j are daemons: %j", (processes, daemons) => {
  expect([...runningDaemons(processes, adapters)].sort()).toEqual([...daemons].sort());
});
