import { expect, test } from "vitest";
import { routesOf } from "../src/syslog-routes.ts";

/** Debian 12, rsyslog 8.2302. */
const debian = `# First some standard log files.  Log by facility.
auth,authpriv.*                 /var/log/auth.log
*.*;auth,authpriv.none          -/var/log/syslog
mail.*                          -/var/log/mail.log
mail.info                       -/var/log/mail.info
mail.warn                       -/var/log/mail.warn
mail.err                        /var/log/mail.err
*.emerg                         :omusrmsg:*
`;
/** Red Hat 9. */
const redHat = `*.info;mail.none;authpriv.none;cron.none                /var/log/messages
mail.*                                                  -/var/log/maillog
`;

test.each<[string, string, string, readonly string[]]>([
  ["Debian", debian, "mail", ["/var/log/syslog all", "/var/log/mail.log", "/var/log/mail.info"]],
  ["Debian", debian, "local0", ["/var/log/syslog all"]],
  ["Debian", debian, "authpriv", ["/var/log/auth.log"]],
  ["Red Hat", redHat, "mail", ["/var/log/maillog"]],
  ["Red Hat", redHat, "daemon", ["/var/log/messages all"]],
  ["an action", `mail.* action(type="omfile" file="/a/mail")`, "mail", ["/a/mail"]],
  ["blanks in front", "  mail.*\t-/a/mail", "mail", ["/a/mail"]],
  ["one priority", "mail.=info /a/mail", "mail", ["/a/mail"]],
  ["another priority", "mail.=notice /a/mail", "mail", []],
  ["a priority that is taken out", "mail.*;mail.!info /a/mail", "mail", []],
  ["a list of facilities", "local0,mail.* /a/mail;RSYSLOG_FileFormat", "mail", ["/a/mail"]],
  ["a remote host", "mail.* @192.0.2.1", "mail", []],
  ["a comment", "#mail.* /a/mail", "mail", []],
])("%s, %#: %s", (_, text, facility, expected) => {
  expect(
    routesOf(text, "x.conf", facility).map(({ path, dedicated }) =>
      dedicated ? path : `${path} all`,
    ),
  ).toEqual(expected);
});
