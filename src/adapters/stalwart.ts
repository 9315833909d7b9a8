/** Stalwart's own log, and what it writes to the journal. */
import { defineAdapter } from "./adapter.ts";

// crates/trc/src/serializers/text.rs: values of the connection come first. Strings have quotes about them, in which line feeds
// and backslashes are escaped and quotes are not.
const value = String.raw`(?:"[^"]*"|[^" ,]+)`;
const others = String.raw`(?:(?!remoteIp|accountName|listenerId)[a-zA-Z]+ = ${value}, )*`;

/** The same event is written for SMTP, JMAP and the web: the listener's name tells. */
export const stalwart = defineAdapter({
  name: "stalwart",
  proof: "source",
  programs: ["stalwart", "stalwart-mail"],
  markers: ["(auth.success) listenerId = "],
  opening:
    /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ )?INFO Authentication successful \(auth\.success\) listenerId = "(?:imap|pop3)/,
  logins: [
    new RegExp(
      String.raw`^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ )?INFO Authentication successful \(auth\.success\) listenerId = "(?<service>imap|pop3)(?:tls|s|-[a-z]+)?", ${others}remoteIp = (?<client>[\da-f:.]+), ${others}accountName = "(?<user>[^"]*)"(?:, (?!remoteIp|accountName|listenerId)[a-zA-Z]+ = ${value})*$`,
    ),
  ],
});
