/** Courier's POP3 and IMAP servers, and their proxies. */
import { defineAdapter } from "./adapter.ts";

/** Courier through syslog: its logger strips the `INFO: ` word (liblog/logger.c). */
export const courier = defineAdapter({
  name: "courier",
  proof: "daemon",
  // LOGGEROPTS -name in Courier's config; the login programs name themselves in older packages.
  programs: {
    imap: ["imapd", "imapd-ssl", "imaplogin", "courierimapd", "courierimaplogin"],
    // What couriertcpd itself logs for IMAP says so: protocol=IMAP.
    pop3: ["pop3d", "pop3d-ssl", "pop3login", "courierpop3d", "courierpop3login", "couriertcpd"],
  },
  markers: ["LOGIN, user="],
  opening: /^LOGIN, user=/,
  logins: [
    // imap/imapd.C, imaplogin.C, pop3dserver.C, pop3login.C. The name is printed as it is, so the address is the last one.
    /^LOGIN, user=(?<user>.*), ip=\[(?<client>[^[\]]*)\](?:, port=\[\d*\])?(?:, protocol=(?:(?<service>IMAP|POP3)|[A-Z0-9]*))?(?:, (?:starttls|stls)=1)?$/,
  ],
  doubt: (message) =>
    message.indexOf("ip=[") === message.lastIndexOf("ip=[") ? undefined : "ambiguous",
});
