/** The lines of Dovecot and Courier: logins, and what must not be taken for one. */

import { server } from "./words.mjs";

/** A login at Dovecot. */
export function login(w, address) {
  return `dovecot: ${w.protocol()}-login: Login: user=<${w.user()}>, method=${w.method()}, rip=${address}, lip=${server}, mpid=${w.pid()},${w.tls()} session=<${w.session()}>`;
}

/** A login at Courier. */
export function courier(w, address, { imap, secure }) {
  const tag = `${imap ? "imapd" : "pop3d"}${secure ? "-ssl" : ""}`;
  return `${tag}: LOGIN, user=${w.user()}, ip=[${mapped(address)}], port=[${w.port()}]${imap ? ", protocol=IMAP" : ""}`;
}

/** A login that was refused. */
export function failure(w, address) {
  switch (w.below(6)) {
    case 0:
      return `dovecot: auth: passwd-file(${w.user()},${address},<${w.session()}>): Password mismatch`;
    case 1:
      return `dovecot: auth-worker(${w.pid()}): sql(${w.user()},${address},<${w.session()}>): unknown user`;
    case 2:
      return `${w.pick(["imapd", "pop3d", "imapd-ssl", "pop3d-ssl"])}: LOGIN FAILED, user=${w.user()}, ip=[${mapped(address)}]`;
    case 3:
      return `dovecot: ${w.protocol()}-login: Aborted login (auth failed, ${1 + w.below(3)} attempts in ${2 + w.below(9)} secs): user=<${w.user()}>, method=PLAIN, rip=${address}, lip=${server},${w.tls()} session=<${w.session()}>`;
    default:
      return `dovecot: ${w.protocol()}-login: Disconnected (auth failed, ${1 + w.below(3)} attempts in ${2 + w.below(9)} secs): user=<${w.user()}>, method=${w.method()}, rip=${address}, lip=${server},${w.tls()} session=<${w.session()}>`;
  }
}

/** The end of a session. */
export function end(w, address) {
  switch (w.below(6)) {
    case 0:
      return `dovecot: pop3(${w.user()})<${w.pid()}><${w.session()}>: Disconnected: Logged out top=0/0, retr=${w.below(4)}/${w.below(90_000)}, del=0/${w.below(40)}, size=${w.below(9e6)}`;
    case 1:
      return `${w.pick(["imapd", "pop3d"])}: LOGOUT, user=${w.user()}, ip=[${mapped(address)}], port=[${w.port()}], headers=0, body=0, rcvd=${w.below(900)}, sent=${w.below(9000)}, time=${w.below(300)}`;
    case 2:
      return `dovecot: ${w.protocol()}-login: Disconnected (no auth attempts in ${w.below(9)} secs): user=<>, rip=${address}, lip=${server}, TLS, session=<${w.session()}>`;
    default:
      return `dovecot: imap(${w.user()})<${w.pid()}><${w.session()}>: Disconnected: Logged out in=${w.below(4000)} out=${w.below(90_000)} deleted=0 expunged=0 trashed=0 hdr_count=${w.below(50)} hdr_bytes=${w.below(20_000)} body_count=${w.below(9)} body_bytes=${w.below(300_000)}`;
  }
}

/** A login's text where a stranger can put it: a reader that reports an address of 192.0.2.0/24 was fooled. */
export function forgery(w, pool) {
  switch (w.below(4)) {
    case 0:
      return `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${forged(w)}>, method=PLAIN, rip=${pool.any()}, lip=${server}, TLS, session=<${w.session()}>`;
    case 1:
      return `postfix/cleanup[${w.pid()}]: ${w.queueId()}: warning: header Subject: dovecot: imap-login: ${forged(w)} from ${w.peer()}[${w.peerAddress()}]; from=<${w.user()}> to=<${w.user()}> proto=ESMTP helo=<${w.peer()}>`;
    case 2:
      return `pop3d: LOGIN FAILED, user=a LOGIN, user=b, ip=[::ffff:192.0.2.${w.below(256)}], port=[1], ip=[${mapped(pool.any())}]`;
    default:
      return `postfix/smtpd[${w.pid()}]: NOQUEUE: reject: RCPT from unknown[${w.peerAddress()}]: 450 4.7.1 <imapd: LOGIN, user=b, ip=[192.0.2.${w.below(256)}], port=[1]>: Helo command rejected: Host not found; from=<${w.user()}> to=<${w.user()}> proto=ESMTP helo=<imapd: LOGIN, user=b>`;
  }
}

function forged(w) {
  return `Login: user=<root>, method=PLAIN, rip=192.0.2.${w.below(256)}, lip=${server}, mpid=1, session=<x>`;
}

// Courier listens on IPv6 sockets only.
function mapped(address) {
  return address.includes(":") ? address : `::ffff:${address}`;
}
