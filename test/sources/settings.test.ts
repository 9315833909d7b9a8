/** By which name a source is known, and what a pattern takes in. */
import { expect, test } from "vitest";
import { nameOf, takesIn } from "../../src/sources/settings.ts";
import type { SourceSettings } from "../../src/sources/settings.ts";

test.each<[SourceSettings, string]>([
  [{ type: "file", path: "/var/log/mail.log" }, "/var/log/mail.log"],
  [{ type: "stdin" }, "stdin"],
  [{ type: "journal", trust: {} }, "journal"],
  [{ type: "journal", trust: {}, namespace: "mail" }, "journal:mail"],
  [
    { type: "journal", trust: {}, directory: "/j", units: ["dovecot"], identifiers: ["imapd"] },
    "journal:/j,dovecot,imapd",
  ],
])("%j is named %s", (settings, name) => {
  expect(nameOf(settings)).toBe(name);
});

test.each<[string, readonly string[], readonly string[]]>([
  ["/l/mail.log", ["/l/mail.log"], ["/l/amail.log", "/l/mail.log2", "/l/mail", "/m/mail.log"]],
  ["/l/*", ["/l/a", "/l/mail.log"], ["/l/.hidden", "/l/a/b", "/m/a"]],
  ["/l/*.log", ["/l/a.log", "/l/a.log.log"], ["/l/.log", "/l/a.log.1", "/l/alog"]],
  ["/l/mail*", ["/l/mail", "/l/mail.log", "/l/mail*"], ["/l/amail", "/l/mai"]],
  ["/l/.m*", ["/l/.mail"], ["/l/mail"]],
  ["/l/a*b*a", ["/l/aba", "/l/axbxa"], ["/l/ab", "/l/aa", "/l/ba"]],
  ["/l/aa*aa", ["/l/aaaa", "/l/aaxaa"], ["/l/aaa", "/l/aa"]],
  ["/l/[ab].log*", ["/l/[ab].log", "/l/[ab].log2"], ["/l/a.log"]],
])("%s takes in %j and not %j", (pattern, inside, outside) => {
  for (const path of inside) expect([path, takesIn(pattern, path)]).toEqual([path, true]);
  for (const path of outside) expect([path, takesIn(pattern, path)]).toEqual([path, false]);
});
