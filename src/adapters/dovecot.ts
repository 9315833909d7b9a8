/** Dovecot 1.0 to 2.4: the lines of imap-login and pop3-login. */
import { defineAdapter } from "./adapter.ts";

// The words and their order: src/login-common/client-common.c, client_get_log_str, and login_log_format_elements, which
// an administrator may change, and of which the empty ones vanish: hence by key. The success word is `Login` up to 2.3 and
// `Logged in` since 2.4.0. A user's name is printed with its `>`, `,`, `=` and blanks.
const opening = String.raw`^(?<service>imap|pop3)-login: (?:Info: )?(?:Login|Logged in): `;
// One element: a comma in it has no blank behind it, or stands in angle brackets.
const others = String.raw`(?:[^,<>]*(?:(?:,(?! )|<[^<>]*>)[^,<>]*)*, )*`;
const user = String.raw`user=<(?<user>[^<>]*)>(?:, |$)`;
// Something must follow the address: where a line was cut, its end may be missing.
const client = String.raw`rip=(?<client>[^ ,<>]*), [^]+$`;

/** Dovecot's own log file, and syslog. */
export const dovecot = defineAdapter({
  name: "dovecot",
  programs: ["dovecot"],
  // Rarer than the success words, which begin with a common character: the logs are searched for them.
  markers: ["-login: Log", "-login: Info: Log"],
  opening: new RegExp(opening),
  logins: [new RegExp(`${opening}(?=${others}${user})${others}${client}`)],
  doubt(message) {
    // A forged field stands beside the true one. (Trusted proxies can put free text into the session.)
    if (isTwice(message, "user=<") || isTwice(message, "rip=")) return "ambiguous";
    return /method=ANONYMOUS/i.test(message) ? "anonymous" : undefined;
  },
});

function isTwice(message: string, text: string): boolean {
  const first = message.indexOf(text);
  return first >= 0 && message.includes(text, first + 1);
}
