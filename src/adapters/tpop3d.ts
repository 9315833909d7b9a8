/** tpop3d. */
import { defineAdapter } from "./adapter.ts";

export const tpop3d = defineAdapter({
  name: "tpop3d",
  proof: "source",
  programs: { imap: [], pop3: ["tpop3d"] },
  markers: [": began session for `"],
  opening: /^fork_child: /,
  logins: [
    // netloop.c, connection.c: the socket's number, the client's address, the domain. The user's name comes behind the address.
    /^fork_child: \[\d+\](?<client>[^/ ]+)(?:\/[^ ]*)?: began session for `(?<user>.*)' with [a-z0-9_-]+; child PID is \d+$/,
  ],
});
