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
  // `real_rip` is the address of a trusted proxy. (Such a proxy can put free text into the session.)
  if (count("rip=", message) - count("real_rip=", message) > 1) return "ambiguous";
  if (count("user=<", message) > 1 || count("session=<", message) > 1) return "ambiguous";
  // A bracket opens behind a key alone; elsewhere it is a name's, or a session's, that closed its own before.
  if (count("<", message) > count("=<", message)) return "ambiguous";
  return message.includes("method=ANONYMOUS") ? "anonymous" : undefined;
}

function count(text: string, message: string): number {
  let times = 0;
  for (let at = message.indexOf(text); at !== -1; at = message.indexOf(text, at + 1)) times++;
  return times;
}
