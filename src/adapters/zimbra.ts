/** Zimbra's audit.log. */
import { defineAdapter } from "./adapter.ts";

// ZimbraLog writes line feeds in these lines as blanks, and a semicolon in a value twice. What is known of the session stands in
// this order: `oip` is the client where a proxy of the installation stands before it; `via` and `ua` are the client's own words.
const start = String.raw`^INFO {1,2}\[(?:Imap|Pop3)(?:SSL)?Server-\d+\] \[(?:name=[^;[\]=]*;)?(?:aname=[^;[\]=]*;)?(?:mid=\d+;)?`;
const client = String.raw`(?<client>[^;[\]]*);`;
const words = String.raw`(?:(?!oip=)[a-z]+=(?:(?!ip=)[^[\]])*;)?\] `;
const login = String.raw`security - cmd=Auth; account=(?<user>[^; ]+); protocol=(?<service>imap|pop3);`;

/** In mailbox.log, where the servers tell their logins once more, names stand as they are: nothing of that is read. */
export const zimbra = defineAdapter({
  name: "zimbra",
  proof: "line",
  optIn: "audit.log alone may be read: in mailbox.log a name could write a whole line",
  programs: ["zimbra"],
  markers: ["cmd=Auth; "],
  opening:
    /^INFO {1,2}\[(?:Imap|Pop3)(?:SSL)?Server-\d+\] \[[^[\]]*\] security - cmd=Auth; account=[^;]*; protocol=(?:imap|pop3);$/,
  logins: [
    new RegExp(`${start}ip=${client}${words}${login}$`),
    new RegExp(`${start}(?:ip=[^;[\\]]*;)?oip=${client}${words}${login}$`),
  ],
});
