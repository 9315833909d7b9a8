/** Cyrus IMAP to 3.12, and the `event=login.good` lines that come behind it. */
import { defineAdapter } from "./adapter.ts";

// The name before the address is the client's reverse name. An anonymous login has the client's own text, its password, behind
// the user: no field may hold a blank.
const client = String.raw`(?:[^ "\\[\]]+ ?)?\[(?<client>[^ \[\]]*)\]`;

/** A value as lib/logfmt.c writes it. */
const value = String.raw`(?:[^ "=]+|"(?:[^"\\]|\\.)*")`;

export const cyrus = defineAdapter({
  name: "cyrus",
  proof: "daemon",
  // Service names of cyrus.conf, as Debian's package and the sources' examples have them.
  programs: {
    imap: ["cyrus/imap", "cyrus/imaps", "imap", "imaps", "imapd"],
    pop3: ["cyrus/pop3", "cyrus/pop3s", "pop3", "pop3s", "pop3d"],
  },
  markers: ["login: ", "event=login.good "],
  opening: /^(?:login: |event=login\.good )/,
  logins: [
    // imap/imapd.c, imap/pop3d.c
    new RegExp(
      String.raw`^login: ${client} (?<user>[^ [\]]+) [A-Za-z0-9_-]+(?:\+TLS)? User logged in(?: SESSIONID=<[^<> ]*>)?$`,
    ),
    // imap/loginlog.c. An anonymous login has no user here.
    new RegExp(
      String.raw`^event=login\.good(?: r\.sessionid=${value})? r\.clienthost="?${client}"? u\.username="?(?<user>[^ "=\\]+)"?(?: login\.mech=${value})? login\.tls=[01](?: (?:login\.magic|login\.nopassword|pop\.subfolder)=${value}?)*$`,
    ),
  ],
});
