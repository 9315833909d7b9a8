/** A private Sendmail 8.17 that relays for whom its popauth table names. Accepted mail stays in its queue. */

import { chmod, copyFile } from "node:fs/promises";
import { createMap } from "../../src/maps/index.ts";
import { Child, ran } from "./child.ts";
import { type Daemon, host, type Lab, type Place, unpacked } from "./lab.ts";
import { isolated } from "./namespace.ts";

/** A table as Sendmail names it: a type that makemap knows, and a path without `.db`. */
export interface SendmailTable {
  readonly type: "hash" | "btree";
  readonly path: string;
  /** popauth if absent. */
  readonly style?: "access";
}

interface SendmailWays {
  /** Where it listens: on ::1 if it is not the host's own network, and else on 127.0.0.1. */
  readonly place?: Place;
  /** Whether it writes IPv6 addresses with `::`. */
  readonly compresses?: boolean;
}

/** Sendmail's own table maker. */
export const makemap = `${unpacked("sendmail")}/usr/libexec/sendmail/makemap`;

/** Sendmail. It always relays for 127.0.0.1 and ::1, so the clients of a test are 127.0.0.2 and so on. */
export class Sendmail implements Daemon {
  readonly name: string;
  readonly table: SendmailTable;
  port = 0;
  readonly #lab: Lab;
  readonly #ways: SendmailWays;
  #child: Child | undefined;

  constructor(lab: Lab, table: SendmailTable, ways: SendmailWays = {}) {
    this.#lab = lab;
    this.table = table;
    this.#ways = ways;
    this.name = `sendmail-${table.type}${ways.compresses === true ? "-compresses" : ""}`;
  }

  async start(): Promise<void> {
    const lab = this.#lab;
    const own = this.name;
    this.port ||= await lab.port();
    await lab.folder(`${own}/queue`);
    await lab.file(`${own}/aliases`, "");
    await ran([makemap, "-C/dev/null", "hash", lab.path(own, "aliases")]);
    const source = await lab.file(`${own}/sendmail.mc`, this.#mc());
    const cf = await ran(["m4", `-D_CF_DIR_=${configuration}/`, source]);
    const config = await lab.file(`${own}/sendmail.cf`, cf);
    const hosts = await lab.file(`${own}/nsswitch.conf`, nsswitch);
    const resolver = await lab.file(`${own}/resolv.conf`, "nameserver 127.0.0.1\n");
    // A copy without its group bit, which would undo --kill-child.
    const program = lab.path(own, "sendmail");
    await copyFile(`${unpacked("sendmail")}/usr/libexec/sendmail/sendmail`, program);
    await chmod(program, 0o755);
    const { place = host } = this.#ways;
    this.#child = new Child(place.inside(isolated(launch, hosts, resolver, program, config)));
    await place.listening(this.port, this.#child);
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGKILL");
  }

  /** Builds the table by hand from `key value` lines, as an administrator would. */
  async makemap(source = ""): Promise<void> {
    const { type, path } = this.table;
    await ran([makemap, "-C/dev/null", type, `${path}.new`], source);
    await ran(["mv", `${path}.new.db`, `${path}.db`]);
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  #mc(): string {
    const own = this.#lab.path(this.name);
    const { type, path, style } = this.table;
    const { place = host, compresses = false } = this.#ways;
    const { advice } = createMap({ mta: "sendmail", table: `${type}:${path}`, style });
    const listen = place === host ? "Family=inet, Addr=127.0.0.1" : "Family=inet6, Addr=::1";
    const lines = advice.join("\n");
    return `divert(-1)
include(\`${configuration}/m4/cf.m4')dnl
divert(0)dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`mx.lab.test')dnl
define(\`QUEUE_DIR', \`${own}/queue')dnl
define(\`STATUS_FILE', \`${own}/status')dnl
define(\`ALIAS_FILE', \`${own}/aliases')dnl
define(\`confPID_FILE', \`${own}/pid')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confDELIVERY_MODE', \`queueonly')dnl
define(\`confDEF_USER_ID', \`8:8')dnl
define(\`confDONT_PROBE_INTERFACES', \`true')dnl
define(\`confDONT_BLAME_SENDMAIL', \`MapInUnsafeDirPath')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`accept_unresolvable_domains')dnl
define(\`confUSE_COMPRESSED_IPV6_ADDRESSES', \`${compresses ? "True" : "False"}')dnl
DAEMON_OPTIONS(\`Name=MTA, ${listen}, Port=${this.port}')dnl
${style === "access" ? lines : ""}
MAILER(\`smtp')dnl
${style === "access" ? "" : lines}
`;
  }
}

const configuration = `${unpacked("sendmail")}/usr/share/sendmail/cf`;

const nsswitch = "hosts: files\npasswd: files\ngroup: files\n";

// A host name without a dot makes it wait a minute for a better one, in silence. Names are looked up in files alone, and
// a resolver that is not there answers at once: the host's own may take its time.
const launch = `
hosts=$1 resolver=$2 program=$3 config=$4
hostname mx.lab.test
mount --bind "$hosts" /etc/nsswitch.conf
if [ -e /etc/resolv.conf ]; then mount --bind "$resolver" /etc/resolv.conf; fi
exec "$program" -bD "-C$config"
`;
