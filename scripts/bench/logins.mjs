/** Logins that happen now, each from a client of its own. */

import { stamper } from "./stamps.mjs";

const stamp = stamper("rfc3339");

/** The client of the login with this number, below 131,072: 198.18.0.0/15 is for measurements (RFC 2544). */
export function clientOf(number) {
  const [high, middle, low] = [number / 65_536, number / 256, number].map(Math.floor);
  return `198.${18 + high}.${middle % 256}.${low % 256}`;
}

/** The line that Dovecot writes when it logs in: now, or at some millisecond since 1970. */
export function loginOf(number, { at = Date.now(), client = clientOf(number) } = {}) {
  return `${stamp(at * 1000)} mx1 dovecot: imap-login: Login: user=<user${number}@example.com>, method=PLAIN, rip=${client}, lip=192.168.7.25, mpid=4711, TLS, session=<ock0167jzBPo5dfu>\n`;
}

/** The lines of the first `count` logins; `at` gives when each was. */
export function firstLogins(count, at = () => Date.now()) {
  return Array.from({ length: count }, (_, number) => loginOf(number, { at: at(number) })).join("");
}
