/** vpopmail's vchkpw, behind qmail-pop3d, Courier's and other servers. */
import { defineAdapter } from "./adapter.ts";

/** Logs successes only where it was built so. The name of the service follows the port: SMTP's are others. */
export const vpopmail = defineAdapter({
  name: "vpopmail",
  proof: "line",
  programs: ["vpopmail"],
  markers: ["login success "],
  opening: /^vchkpw-(?:imap|pop3)s?: (?:\([A-Z0-9-]+\)|system password) login success /,
  logins: [
    // vchkpw.c. A colon before an IPv6 address could not be told from those of the address.
    /^vchkpw-(?<service>imap|pop3)s?: (?:\([A-Z0-9-]+\)|system password) login success (?<user>[^: ]+):(?<client>(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3})$/,
  ],
});
