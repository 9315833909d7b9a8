/** UW IMAP and its follower Panda: imapd and ipop3d. */
import { defineAdapter } from "./adapter.ts";

/** `host` is the client's reverse name, if it has one, and its address in brackets; cut at 80 characters, the bracket is missing. */
export const uw = defineAdapter({
  name: "uw",
  proof: "line",
  programs: { imap: ["imapd", "imapsd"], pop3: ["ipop3d", "ipop3sd"] },
  markers: ["Login user=", "Auth user=", "APOP user=", "Authenticated user="],
  opening: /^(?:(?:Admin )?Login|Auth|APOP|Authenticated) user=/,
  logins: [
    // src/imapd/imapd.c, src/ipopd/ipop3d.c, src/osdep/unix/env_unix.c
    /^(?:(?:Admin )?Login|Auth|APOP|Authenticated) user=(?<user>.*) host=(?:[^ []+ )?\[(?<client>[^ [\]]*)\](?: nmsgs=\d+\/\d+| no mailbox| mech=[A-Za-z0-9_-]+)?$/,
  ],
  doubt: (message) =>
    message.indexOf(" host=") === message.lastIndexOf(" host=") ? undefined : "ambiguous",
});
