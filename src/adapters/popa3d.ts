/** popa3d as a server of its own: the client and the login stand in two lines. */
import { defineAdapter } from "./adapter.ts";

/** It closes the connection after a failed login. Where inetd starts it, nothing tells the client. */
export const popa3d = defineAdapter({
  name: "popa3d",
  proof: "daemon",
  programs: { imap: [], pop3: ["popa3d"] },
  markers: [
    "Session from ",
    "Authentication ",
    "Didn't attempt authentication",
    "Premature disconnect",
    " deleted, ",
  ],
  opening: /^Authentication passed for /,
  logins: [],
  // standalone.c, pop_root.c, pop_auth.c
  correlate: {
    by: "pid",
    first: [/^Session from (?<client>[^ ]+)$/],
    second: [/^Authentication passed for (?<user>[^ ]+)$/],
    ends: [
      /^Authentication failed for .*$/,
      /^Didn't attempt authentication$/,
      /^Premature disconnect$/,
      /^\d+ \(\d+\) deleted, \d+ \(\d+\) left$/,
    ],
  },
});
