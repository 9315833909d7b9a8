/** Dovecot -> popgate -> Exim: a plain host list and one for a lookup. */

import { Dovecot } from "../lab/dovecot.ts";
import { Exim } from "../lab/exim.ts";
import { Lab, hasIpv6 } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { type Circuit, type Visit, story } from "./story.ts";

async function circuit(ttl: string): Promise<Circuit> {
  const lab = await Lab.open();
  const popgate = new Popgate(lab);
  await lab.folder("maps");
  const [plain, lookup] = [lab.path("maps", "plain"), lab.path("maps", "lookup")];
  const [first, second] = [await lab.port(), await lab.port()];
  const exim = new Exim(lab, [
    { port: first, list: plain },
    { port: second, list: `net-iplsearch;${lookup}` },
  ]);
  const rsyslog = await lab.start(new Rsyslog(lab));
  const dovecot = await lab.start(new Dovecot(lab, { syslog: rsyslog }));
  const settings = {
    ttl,
    source: [{ path: rsyslog.rfc3164 }],
    map: [plain, `net-iplsearch:${lookup}`].map((table) => ({ mta: "exim", table })),
  };
  await popgate.configure(settings);
  await popgate.command("withdraw");
  await lab.start(exim);
  const login = ({ protocol, client }: Visit) => dovecot.visit(protocol, client);
  return { lab, popgate, settings, doors: [first, second], login };
}

const ipv6: readonly Visit[] = hasIpv6 ? [{ protocol: "imap", client: "::1" }] : [];

story(
  "Dovecot, rsyslog RFC 3164 -> Exim",
  lacks("root", "namespaces", "rsyslog", "dovecot", "exim"),
  [
    { protocol: "imap", client: "127.0.0.4" },
    { protocol: "pop3", client: "127.0.0.2" },
    { protocol: "pop3s", client: "127.0.0.3" },
    ...ipv6,
  ],
  circuit,
);
