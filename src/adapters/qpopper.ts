/** qpopper 4. */
import { defineAdapter } from "./adapter.ts";

// At the end of a message it names the place in its source.
const place = String.raw`(?: \[[a-z_]+\.c:\d{1,5}\])?$`;
// The client's reverse name, or its address again.
const host = String.raw`[^ ()"]*`;

/** Through syslog, and in its own log file. */
export const qpopper = defineAdapter({
  name: "qpopper",
  proof: "line",
  programs: { imap: [], pop3: ["qpopper", "in.qpopper", "popper", "in.popper"] },
  markers: ["POP login by user ", "Stats: "],
  opening: /^(?:\(v[^()]*\) POP login by user |Stats: )/,
  logins: [
    // popper/pop_init.c: the default of log-login
    new RegExp(
      String.raw`^\(v[^()]*\) POP login by user "(?<user>.*)" at \(${host}\) (?<client>[^ ]+)${place}`,
    ),
    // The end of a session, where statistics are on.
    new RegExp(String.raw`^Stats: (?<user>[^ ]+) \d+ \d+ \d+ \d+ ${host} (?<client>[^ ]+)${place}`),
  ],
});
