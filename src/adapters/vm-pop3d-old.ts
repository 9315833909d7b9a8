/** vm-pop3d before it told the client beside the user: two lines. */
import { defineAdapter } from "./adapter.ts";

export const vmPop3dOld = defineAdapter({
  name: "vm-pop3d-old",
  // Known from other programs' patterns alone.
  proof: "unproved",
  programs: { imap: [], pop3: ["vm-pop3d"] },
  markers: ["Connect from ", " logged in", "Session ended"],
  opening: /^User .* logged in$/,
  logins: [],
  correlate: {
    by: "pid",
    first: [/^Connect from (?<client>[^ ]+)$/],
    second: [/^User '?(?<user>[^ ']+)'? logged in$/],
    ends: [/^Session ended.*$/],
  },
});
