/** Dovecot -> popgate -> Postfix: its own log and RFC 3164, every kind of login, every type of table. */

import { Dovecot } from "../lab/dovecot.ts";
import { Lab, hasIpv6 } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { type Circuit, type Visit, story } from "./story.ts";

const types = ["hash", "btree", "lmdb", "cdb"] as const;

async function circuit(log: "own" | "rfc3164", ttl: string): Promise<Circuit> {
  const lab = await Lab.open();
  const popgate = new Popgate(lab);
  await lab.folder("maps");
  const tables = types.map((type) => `${type}:${lab.path("maps", type)}`);
  const doors = await Promise.all(tables.map(() => lab.port()));
  const postfix = new Postfix(
    lab,
    tables.map((table, at) => ({ port: doors[at] ?? 0, restrictions: relayFor(table) })),
  );
  await postfix.configure();

  let dovecot: Dovecot;
  let path: string;
  if (log === "own") {
    dovecot = await lab.start(new Dovecot(lab));
    path = dovecot.log;
  } else {
    const rsyslog = await lab.start(new Rsyslog(lab));
    dovecot = await lab.start(new Dovecot(lab, { syslog: rsyslog }));
    path = rsyslog[log];
  }
  const settings = {
    ttl,
    source: [{ path }],
    map: tables.map((table) => ({ mta: "postfix", table, config_dir: postfix.config })),
  };
  await popgate.configure(settings);
  // As an administrator does it: the tables exist, empty, before Postfix hears of them.
  await popgate.command("withdraw");
  await lab.start(postfix);
  const login = ({ protocol, client }: Visit) => dovecot.visit(protocol, client);
  return { lab, popgate, settings, doors, login };
}

const ipv6 = (protocol: Visit["protocol"]): Visit[] =>
  hasIpv6 ? [{ protocol, client: "::1" }] : [];
const visits = [
  { protocol: "pop3", client: "127.0.0.2" },
  { protocol: "pop3s", client: "127.0.0.3" },
  { protocol: "imap", client: "127.0.0.4" },
] as const;
const [pop3, pop3s, imap] = visits;
const daemons = ["root", "dovecot", "postfix"] as const;
const syslog = lacks(...daemons, "rsyslog", "namespaces");

story(
  "Dovecot's own log -> Postfix",
  lacks(...daemons),
  [pop3, pop3s, imap, ...ipv6("pop3")],
  (ttl) => circuit("own", ttl),
);
story("Dovecot, rsyslog RFC 3164 -> Postfix", syslog, [imap, pop3, pop3s, ...ipv6("imap")], (ttl) =>
  circuit("rfc3164", ttl),
);
