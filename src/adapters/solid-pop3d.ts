/** solid-pop3d, with and without its extended log. */
import { defineAdapter } from "./adapter.ts";

/** Built with --enable-logextend, each line tells the client; without, only that of the connection does. */
export const solidPop3d = defineAdapter({
  name: "solid-pop3d",
  proof: "daemon",
  programs: { imap: [], pop3: ["solid-pop3d", "spop3d"] },
  markers: ["connect from ", "authenticated", "authentication failed", "session ended"],
  opening: /^user .* authenticated(?: - [^ ]*)?$/,
  logins: [/^user (?<user>[^ ]+) authenticated - (?<client>[^ ]+)$/],
  correlate: {
    by: "pid",
    first: [/^connect from (?<client>[^ ]+)$/],
    second: [/^user (?<user>[^ ]+) authenticated$/],
    ends: [/^(?:APOP )?authentication failed.*$/, /^session ended.*$/],
  },
});
