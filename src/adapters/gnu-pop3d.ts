/** GNU pop3d before it became a part of mailutils. */
import { defineAdapter } from "./adapter.ts";

export const gnuPop3d = defineAdapter({
  name: "gnu-pop3d",
  // Known from other programs' patterns alone.
  proof: "unproved",
  programs: { imap: [], pop3: ["gnu-pop3d"] },
  markers: [" logged in with mailbox "],
  opening: /^User .* logged in with mailbox /,
  logins: [
    /^User '?(?<user>[^ ']+)'? logged in with mailbox (?<mailbox>.*) from (?<client>[^ ]+)$/,
  ],
});
