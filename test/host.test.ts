import { describe, expect, test } from "vitest";
import {
  completeMaps,
  hostZone,
  otherLogs,
  ownAddresses,
  postfixRestrictions,
} from "../src/host.ts";
import type { Outcome, Run } from "../src/run.ts";

/** A host where these command lines answer so, and no other program exists. */
function host(answers: Readonly<Record<string, string | Partial<Outcome>>>): Run {
  return (argv) => {
    const answer = answers[argv.join(" ")];
    const stdout = typeof answer === "string" ? answer : (answer?.stdout ?? "");
    const programs = Object.keys(answers).map((line) => line.split(" ")[0]);
    const missing = !programs.includes(argv[0]);
    const ok = answer !== undefined && !missing;
    const outcome = { ok, missing, stdout, stderr: "", reason: ok ? "" : "exit status 1" };
    return Promise.resolve({ ...outcome, ...(typeof answer === "object" ? answer : {}) });
  };
}

const postfix = {
  "postconf -d -h mail_version": "3.7.11",
  "postconf -h default_database_type": "lmdb",
  "postconf -c /etc/postfix-out -h default_database_type": "hash",
};

describe("a map is completed with what the host has", () => {
  test.each([
    ["Postfix's default type", postfix, { table: "/m" }, { mta: "postfix", table: "lmdb:/m" }],
    [
      "another instance's",
      postfix,
      { mta: "postfix", table: "/m", config_dir: "/etc/postfix-out" },
      { mta: "postfix", table: "hash:/m", config_dir: "/etc/postfix-out" },
    ],
    ["a type that is given", postfix, { table: "cdb:/m" }, { mta: "postfix", table: "cdb:/m" }],
    ["an MTA that is given", postfix, { mta: "exim", table: "/m" }, { mta: "exim", table: "/m" }],
    [
      "Sendmail, where there is no Postfix",
      { "makemap -l": "hash" },
      { table: "/m" },
      { mta: "sendmail", table: "hash:/m" },
    ],
    [
      "OpenSMTPD, which has a makemap, too",
      { smtpctl: { ok: false, reason: "usage" }, "makemap -l": { ok: false } },
      { table: "/m" },
      { mta: "opensmtpd", table: "db:/m" },
    ],
    [
      "a table in OpenSMTPD's memory",
      {},
      { mta: "opensmtpd", table: "file:/m" },
      { mta: "opensmtpd", table: "file:/m" },
    ],
    [
      "Exim, where there is neither",
      { "exim4 -bV": "" },
      { table: "/m" },
      { mta: "exim", table: "/m" },
    ],
  ] as const)("%s", async (_, answers, given, complete) => {
    expect(await completeMaps([given], host(answers))).toEqual([complete]);
  });

  test("what cannot be known is told of every map at once", async () => {
    const maps = [{ table: "/a" }, { table: "hash:/b" }, { mta: "postfix" as const, table: "/c" }];
    await expect(completeMaps(maps, host({}))).rejects.toThrow(
      /^\/a: none of postconf, smtpctl, makemap.*\nhash:\/b: none of.*\n\/c: postconf does not tell/,
    );
  });
});

test("Postfix's restrictions, with those of master.cf", async () => {
  const run = host({
    "postconf -xh smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "postconf -xh smtpd_recipient_restrictions": "",
    "postconf -xh smtpd_client_restrictions": "",
    "postconf -xh mynetworks": "127.0.0.0/8 [::1]/128",
    "postconf -Px":
      "submission/inet/smtpd_relay_restrictions = permit_sasl_authenticated,reject\nsubmission/inet/syslog_name = postfix/submission",
  });
  expect(await postfixRestrictions(undefined, run)).toEqual({
    relay: "permit_mynetworks, reject_unauth_destination",
    recipient: "",
    client: "",
    mynetworks: "127.0.0.0/8 [::1]/128",
    services: new Map([
      ["submission/inet/smtpd_relay_restrictions", "permit_sasl_authenticated,reject"],
    ]),
  });
  expect(await postfixRestrictions(undefined, host({}))).toBeUndefined();
});

describe("where the logs may be instead", () => {
  test.each([
    [
      { "doveconf -h log_path info_log_path": "/var/log/dovecot.log\n" },
      [],
      ["Dovecot logs to /var/log/dovecot.log (doveconf log_path)"],
    ],
    [
      { "doveconf -h log_path info_log_path": "syslog\n" },
      ["/var/log/maillog"],
      ["Dovecot logs through syslog (doveconf log_path)", "/var/log/maillog is there"],
    ],
    [
      { "doveconf -h log_path info_log_path": "syslog\n/var/log/info.log" },
      [],
      ["Dovecot logs to /var/log/info.log (doveconf log_path)"],
    ],
    [{}, ["/run/systemd/journal/socket"], [expect.stringContaining("journal")]],
    [{}, [], []],
  ])("%j %j", async (answers, files: readonly string[], found) => {
    expect(await otherLogs((path) => files.includes(path), host(answers))).toEqual(found);
  });
});

test("this host's own addresses and zone", () => {
  expect(ownAddresses()).toContain("127.0.0.1");
  expect(hostZone()).not.toBe("");
});
