/** Dovecot -> popgate -> Exim and OpenSMTPD, in each of their forms: a list, a lookup's file, a database, a file in memory. */

import { Dovecot } from "../lab/dovecot.ts";
import { Exim } from "../lab/exim.ts";
import { Lab, hasIpv6 } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Opensmtpd } from "../lab/opensmtpd.ts";
import { Popgate } from "../lab/popgate.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { type Circuit, type Visit, story } from "./story.ts";

async function circuit(ttl: string): Promise<Circuit> {
  const lab = await Lab.open();
  const popgate = new Popgate(lab);
  await lab.folder("maps");
  const path = (name: string): string => lab.path("maps", name);
  const port = { plain: 0, lookup: 0, db: 0, file: 0 };
  for (const name of Object.keys(port) as (keyof typeof port)[]) port[name] = await lab.port();
  const exim = new Exim(lab, [
    { port: port.plain, list: path("plain") },
    { port: port.lookup, list: `net-iplsearch;${path("lookup")}` },
  ]);
  const smtpd = new Opensmtpd(lab, [
    { port: port.db, name: "db", table: `db:${path("db")}.db` },
    { port: port.file, name: "file", table: `file:${path("file")}` },
  ]);
  await smtpd.prepare();
  const { makemap, smtpctl } = smtpd.tools;
  const rsyslog = await lab.start(new Rsyslog(lab));
  const dovecot = await lab.start(new Dovecot(lab, { syslog: rsyslog }));
  const settings = {
    ttl,
    source: [{ path: rsyslog.rfc3339 }],
    map: [
      { mta: "exim", table: path("plain") },
      { mta: "exim", table: `net-iplsearch:${path("lookup")}` },
      { mta: "opensmtpd", table: `db:${path("db")}`, name: "db", tool: makemap },
      // The last one is the one that a reload takes away.
      { mta: "opensmtpd", table: `file:${path("file")}`, name: "file", tool: smtpctl },
    ],
  };
  await popgate.configure(settings);
  await popgate.command("withdraw");
  await lab.start(exim);
  await lab.start(smtpd);
  const login = ({ protocol, client }: Visit) => dovecot.visit(protocol, client);
  return { lab, popgate, settings, doors: Object.values(port), login };
}

const ipv6: readonly Visit[] = hasIpv6 ? [{ protocol: "imap", client: "::1" }] : [];

story(
  "Dovecot, rsyslog RFC 3339 -> Exim, OpenSMTPD",
  lacks("root", "namespaces", "rsyslog", "dovecot", "exim", "opensmtpd"),
  [
    { protocol: "imap", client: "127.0.0.4" },
    { protocol: "pop3", client: "127.0.0.2" },
    { protocol: "pop3s", client: "127.0.0.3" },
    ...ipv6,
  ],
  circuit,
);
