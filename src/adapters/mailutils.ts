/** GNU mailutils' pop3d and imap4d, where they log their session ids. */
import { defineAdapter } from "./adapter.ts";

const session = String.raw`^(?<session>[A-Za-z0-9]{8}) `;

/**
 * Tells no client unless its configuration says `logging { session-id yes; }` and has an `acl` that leaves the connection
 * undecided, such as `acl { log any; }`. The master process tells the client, another one the login.
 */
export const mailutils = defineAdapter({
  name: "mailutils",
  proof: "daemon",
  programs: { imap: ["imap4d"], pop3: ["pop3d"] },
  markers: ["inet://", "inet6://", " logged in ", "session ended", "session terminating"],
  logins: [],
  correlate: {
    by: "session",
    // libmailutils/server/msrv.c, pop3d/user.c, imap4d/imap4d.c
    first: [
      new RegExp(
        String.raw`${session}inet6?://\[?(?<client>[^ [\]]*?)\]?:\d{1,5}: undefined ACL result; access allowed$`,
      ),
    ],
    second: [
      // No name holds the quote that opens it: with it, a line could be read in as many ways as it has quotes.
      new RegExp(
        `${session}user \`(?<user>.*)' logged in with mailbox \`[^\`']*' \\(\\d+ messages?\\)$`,
      ),
      new RegExp(String.raw`${session}user \`(?<user>.*)' logged in \(source: [^ ()]+\)$`),
    ],
    ends: [new RegExp(`${session}session (?:ended|terminating).*$`)],
  },
});
