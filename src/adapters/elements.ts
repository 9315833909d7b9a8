/** The elements that Dovecot's login processes print behind each of their messages. */
import type { Reason } from "./refusal.ts";

// Their words and order: src/login-common/client-common.c, client_get_log_str, and login_log_format_elements, which an
// administrator may change, and of which the empty ones vanish: hence by key. A user's name is printed with its `>`, `,`, `=`
// and blanks.
// One element: a comma in it has no blank behind it, or stands in angle brackets. As few as possible: the address stands early,
// and only once, see below.
const others = String.raw`(?:[^,<>]*(?:(?:,(?! )|<[^<>]*>)[^,<>]*)*, )*?`;
const user = String.raw`user=<(?<user>[^<>]*)>(?:, |$)`;
// Something must follow the address: where a line was cut, its end may be missing.
const client = String.raw`rip=(?<client>[^ ,<>]*), [^]+$`;

/** A pattern's source for the rest of a message, from its first element on: the groups `user` and `client`. */
export const elements = `(?=${others}${user})${others}${client}`;

/** Says why a message may not count although its elements can be read: a forged field stands beside the true one. */
export function doubtOf(message: string): Reason | undefined {
  let users = 0;
  let sessions = 0;
  for (let at = message.indexOf("<"); at !== -1; at = message.indexOf("<", at + 1)) {
    // A bracket opens behind a key alone; elsewhere it is a name's, or a session's, that closed its own before.
    if (message[at - 1] !== "=") return "ambiguous";
    if (message.startsWith("user=", at - 5) && ++users > 1) return "ambiguous";
    if (message.startsWith("session=", at - 8) && ++sessions > 1) return "ambiguous";
  }
  let addresses = 0;
  for (let at = message.indexOf("rip="); at !== -1; at = message.indexOf("rip=", at + 1)) {
    // `real_rip` is the address of a trusted proxy. (Such a proxy can put free text into the session.)
    if (!message.startsWith("real_", at - 5) && ++addresses > 1) return "ambiguous";
  }
  return message.includes("method=ANONYMOUS") ? "anonymous" : undefined;
}
