/** Perdition, a proxy for POP3 and IMAP. */
import { defineAdapter } from "./adapter.ts";

// Both names are the client's own text, printed as it is; the address stands before them, the status behind. Port and IPv6
// address could not be told apart.
const ends = String.raw`^Auth: (?<client>\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?->[^ "]+ `;

/** The servers behind it log its own address: that belongs into guard.never where they are followed, too. */
export const perdition = defineAdapter({
  name: "perdition",
  proof: "daemon",
  programs: [
    "perdition",
    "perdition.pop3",
    "perdition.pop3s",
    "perdition.imap4",
    "perdition.imap4s",
    "perdition.imap",
    "perdition.imaps",
  ],
  markers: ['status="ok"'],
  opening: /^Auth: .*status="ok"$/,
  logins: [
    // perdition/perdition.c. The first name ends at a blank: else they could be parted in many ways.
    new RegExp(
      String.raw`${ends}client-secure=[a-z]+ authorisation_id=[^ ]* authentication_id="(?<user>.*)" server="[^" ]*" protocol=(?<service>POP3|IMAP4)S? server-secure=[a-z]+ status="ok"$`,
    ),
    // 1.x
    new RegExp(
      String.raw`${ends}user="(?<user>.*)" server="[^" ]*" port="(?<service>110|995|143|993)" status="ok"$`,
    ),
  ],
});
