/** Kerio Connect, through syslog. */
import { defineAdapter } from "./adapter.ts";

export const kerio = defineAdapter({
  name: "kerio",
  proof: "line",
  optIn: "it calls itself `audit`, as other programs do",
  programs: ["audit"],
  markers: [" authenticated from IP address "],
  opening: /^(?:IMAP|POP3): User .* authenticated from IP address /,
  logins: [
    /^(?<service>IMAP|POP3): User (?<user>[^ ]+) authenticated from IP address (?<client>[^ ]+)$/,
  ],
});
