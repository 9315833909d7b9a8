/** DBMail's IMAP server; its POP3 server does not tell the client. */
import { defineAdapter } from "./adapter.ts";

// src/dm_debug.c: a thread, the level, the module, and the function may stand before the message.
const where = String.raw`^(?:\[0x[\da-f]+\] )?(?:[A-Z][a-z]+:\[[a-z]+\] [A-Za-z0-9_]+\(\+\d+\): )?`;

export const dbmail = defineAdapter({
  name: "dbmail",
  proof: "source",
  programs: { imap: ["dbmail-imapd", "dbmail/imap4d"], pop3: [] },
  markers: ["login accepted: "],
  opening: new RegExp(String.raw`${where}\[[^ [\]]+\] login accepted: `),
  logins: [
    // src/dm_imapsession.c. Port and IPv6 address could not be told apart.
    new RegExp(
      String.raw`${where}\[[^ [\]]+\] login accepted: id \[\d+\] user \[(?<user>.*)\] from \[(?<client>\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\]$`,
    ),
  ],
});
