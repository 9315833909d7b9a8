/** vpopmail's vchkpw before it named the service. */
import { defineAdapter } from "./adapter.ts";

export const vpopmailOld = defineAdapter({
  name: "vpopmail-old",
  // Known from other programs' patterns alone.
  proof: "unproved",
  programs: { imap: [], pop3: ["vpopmail"] },
  markers: ["vchkpw: login ["],
  opening: /^vchkpw: login \[/,
  logins: [/^vchkpw: login \[(?<user>[^ [\]]+)\] from (?<client>[^ ]+)$/],
});
