/** Dovecot 1.0 to 2.4: the lines of imap-login and pop3-login. */
import { defineAdapter } from "./adapter.ts";
import { doubtOf, elements } from "./elements.ts";

// The success word is `Login` up to 2.3 and `Logged in` since 2.4.0. Where a hosting panel changed the format, the level stands
// in the syslog text, too.
const opening = String.raw`^(?<service>imap|pop3)-login: (?:Info: )?(?:Login|Logged in): `;

/** Dovecot's own log file, and syslog. */
export const dovecot = defineAdapter({
  name: "dovecot",
  proof: "daemon",
  programs: ["dovecot"],
  // Rarer than the success words, which begin with a common character: the logs are searched for them.
  markers: ["-login: Log", "-login: Info: Log"],
  opening: new RegExp(opening),
  logins: [new RegExp(opening + elements)],
  doubt: doubtOf,
});
