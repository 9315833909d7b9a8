/** Dovecot as a proxy or director: it hands a client over to another server, once that one took the password. */
import { defineAdapter } from "./adapter.ts";
import { doubtOf, elements } from "./elements.ts";

// src/login-common/client-common-auth.c. Up to 2.2 `proxy(bob): started proxying to host:143: `, with 2.3 `Started`, and since
// 2.4 `proxy(bob,192.0.2.1:143): Started proxying to remote host (0.1 secs, 0/1 reconnects): `. Names are printed as they are.
const opening = String.raw`^(?<service>imap|pop3)-login: (?:Info: )?proxy\([^()]*\): [Ss]tarted proxying to `;

/** The words between the opening and the elements. */
const server = String.raw`(?:remote host|[^ ,<>()]+)(?: \([^()<>]*\))?: `;

/** A line for each hand-over, in which the elements name the client. */
export const dovecotProxy = defineAdapter({
  name: "dovecot-proxy",
  proof: "source",
  optIn: "a mail host in front of others says here who logged in there; that should be meant",
  programs: ["dovecot"],
  markers: ["tarted proxying to "],
  opening: new RegExp(opening),
  logins: [new RegExp(opening + server + elements)],
  doubt: doubtOf,
});
