/** Logins that happen now, each from a client of its own. */

import { stamper } from "./stamps.mjs";

const stamp = stamper("rfc3339");

/** The client of the login with this number; 198.18.0.0/15 is for measurements (RFC 2544). */
export function clientOf(number) {
  return `198.18.${Math.floor(number / 250)}.${(number % 250) + 1}`;
}

/** The line that Dovecot writes when it logs in. */
export function loginOf(number) {
  return `${stamp(Date.now() * 1000)} mx1 dovecot: imap-login: Login: user=<user${number}@example.com>, method=PLAIN, rip=${clientOf(number)}, lip=192.168.7.25, mpid=4711, TLS, session=<ock0167jzBPo5dfu>\n`;
}

/** The lines of the first `count` logins. */
export function firstLogins(count) {
  return Array.from({ length: count }, (_, number) => loginOf(number)).join("");
}
