/** How journalctl is asked. */
import { expect, test } from "vitest";
import { journalctl } from "../../src/sources/journalctl.ts";
import type { Begin } from "../../src/sources/journalctl.ts";
import type { JournalSettings } from "../../src/sources/settings.ts";

const fields =
  "MESSAGE,MESSAGE_ID,N_DROPPED,OBJECT_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,SYSLOG_PID,_HOSTNAME,_PID," +
  "_SOURCE_REALTIME_TIMESTAMP,_UID,_COMM,_EXE,_SYSTEMD_UNIT,_TRANSPORT";
const since = { since: 1_795_414_925_637.5 };

test.each<[Partial<JournalSettings>, Begin, boolean, string]>([
  [
    {},
    since,
    false,
    "--identifier=dovecot --identifier=imapd --identifier=systemd-journald --since=@1795414925.637",
  ],
  [
    { identifiers: ["-x"] },
    { cursor: "s=1;i=2" },
    false,
    "--identifier=-x --identifier=systemd-journald --cursor=s=1;i=2",
  ],
  [
    { units: ["dovecot"] },
    since,
    true,
    "--unit=dovecot --unit=systemd-journald.service --since=@1795414925.637 --follow --no-tail",
  ],
  [
    { namespace: "mail", units: ["dovecot"], identifiers: ["dovecot"] },
    { cursor: "s=1" },
    true,
    "--namespace=mail --unit=dovecot --unit=systemd-journald@mail.service --identifier=dovecot --identifier=systemd-journald --cursor=s=1 --follow --no-tail",
  ],
  [
    { directory: "/j k", identifiers: ["a"] },
    { cursor: "c" },
    false,
    "--directory=/j\u00a0k --identifier=a --identifier=systemd-journald --cursor=c",
  ],
  [
    { directory: "/j", identifiers: ["a"] },
    { cursor: "c" },
    true,
    "--directory=/j --identifier=a --identifier=systemd-journald --cursor=c --follow --no-tail --merge",
  ],
])("%j from %j, following: %s", (settings, begin, follow, expected) => {
  const argv = journalctl(
    { type: "journal", trust: {}, ...settings },
    ["dovecot", "imapd"],
    begin,
    follow,
  );
  const options = expected.split(" ").map((option) => option.replace("\u00a0", " "));
  expect(argv).toEqual([
    "journalctl",
    "--no-pager",
    "--output=json",
    `--output-fields=${fields}`,
    ...options,
  ]);
});
