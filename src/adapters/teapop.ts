/** teapop. */
import { defineAdapter } from "./adapter.ts";

export const teapop = defineAdapter({
  name: "teapop",
  proof: "line",
  programs: { imap: [], pop3: ["teapop"] },
  markers: ["Successful login for "],
  opening: /^Successful login for /,
  logins: [
    // teapop/pop_auth.c. The first bracket is the virtual host's, or the server's own address; the name is the client's reverse one.
    /^Successful login for (?<user>[^ ]+) \[[^ [\]]*\] from (?:[^ [\]]+ )?\[(?<client>[^ [\]]*)\]$/,
  ],
});
