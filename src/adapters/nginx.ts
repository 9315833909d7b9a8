/** nginx as a proxy for mail, through syslog. */
import { defineAdapter } from "./adapter.ts";

/**
 * Needs `error_log syslog:server=unix:/dev/log info;`. Its own log file is not read: nginx writes a name's line feeds as they
 * are, and anybody could write a whole line into it.
 */
export const nginx = defineAdapter({
  name: "nginx",
  proof: "source",
  optIn: "a web server has the same name, and what its lines begin with is up to its log_format",
  programs: ["nginx"],
  markers: [" client logged in, client: "],
  opening: /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[info\] \d+#\d+: \*\d+ client logged in, /,
  logins: [
    // src/mail/ngx_mail_proxy_module.c, ngx_mail_handler.c. The address comes before the name; the port is what tells the service.
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[info\] \d+#\d+: \*\d+ client logged in, client: \[?(?<client>\d{1,3}(?:\.\d{1,3}){3}|[\da-f.]*:[\da-f:.]*)\]?(?::\d{1,5})?(?: using starttls)?, server: [^ ,"]*:(?<service>110|995|143|993), login: "(?<user>.*)", upstream: [^"]*$/,
  ],
});
