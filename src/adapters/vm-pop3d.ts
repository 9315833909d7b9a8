/** vm-pop3d. */
import { defineAdapter } from "./adapter.ts";

export const vmPop3d = defineAdapter({
  name: "vm-pop3d",
  proof: "line",
  programs: { imap: [], pop3: ["vm-pop3d"] },
  markers: [" logged in from "],
  opening: /^User .* logged in from /,
  logins: [/^User '?(?<user>[^ ']+)'? logged in from (?<client>[^ ,]+)(?:, nmsgs=\d+)?$/],
});
