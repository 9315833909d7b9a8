/** Zimbra's mailbox.log and audit.log. */
import { defineAdapter } from "./adapter.ts";

// What is known of the session, in this order. `oip` is the client where a proxy of the installation stands before it. `via` and
// `ua` are the client's own words.
const before = String.raw`^INFO {1,2}\[(?:Imap|Pop3)(?:SSL)?Server-\d+\] \[(?:name=[^;[\]=]*;)?(?:aname=[^;[\]=]*;)?(?:mid=\d+;)?`;
const behind = String.raw`(?:(?!oip=)[a-z]+=(?:(?!ip=)[^[\]])*;)?\] `;
const login = String.raw`(?:security - cmd=Auth; account=(?<user>[^; ]+); protocol=(?<service>imap|pop3);)$`;
const session = String.raw`(?:(?<service>imap|pop3|pop) - user (?<user>[^ ]+) authenticated, mechanism=[A-Za-z0-9-]+ ?(?:\[TLS\])?)$`;

export const zimbra = defineAdapter({
  name: "zimbra",
  proof: "line",
  optIn:
    "its log does not escape line feeds, and names in it come from everybody: who can reach the server could forge a whole line",
  programs: ["zimbra"],
  markers: ["cmd=Auth; ", " authenticated, mechanism="],
  opening:
    /^INFO {1,2}\[(?:Imap|Pop3)(?:SSL)?Server-\d+\] \[[^[\]]*\] (?:security - cmd=Auth; account=[^;]*; protocol=(?:imap|pop3);$|(?:imap|pop3|pop) - user [^ ]* authenticated, )/,
  // ImapHandler, Pop3Handler, AuthProvider
  logins: [login, session].flatMap((what) => [
    new RegExp(`${before}ip=(?<client>[^;[\\]]*);${behind}${what}`),
    new RegExp(`${before}(?:ip=[^;[\\]]*;)?oip=(?<client>[^;[\\]]*);${behind}${what}`),
  ]),
});
