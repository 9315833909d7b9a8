/** A private Postfix: one smtpd per port, each with relay restrictions of its own. Accepted mail is discarded. */

import { existsSync, readFileSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { userId } from "./account.ts";
import { ran } from "./child.ts";
import { type Daemon, host, type Lab, loopback, type Place, tail } from "./lab.ts";
import { endSession, lives } from "./process.ts";
import { until } from "./wait.ts";

export interface Smtpd {
  readonly port: number;
  /** The value of smtpd_relay_restrictions on this port. */
  readonly restrictions: string;
}

/** The restrictions that popgate asks an administrator for, with one `type:path` table in the middle. */
export function relayFor(table: string): string {
  return `permit_mynetworks, permit_auth_destination, check_client_access ${table}, reject_unauth_destination`;
}

/** Postfix. The tables named in the restrictions have to exist before it starts: see `postmap`. */
export class Postfix implements Daemon {
  readonly name: string;
  /** Its configuration directory: what `postmap -c` and popgate's `config_dir` want. */
  readonly config: string;
  readonly #lab: Lab;
  readonly #services: readonly Smtpd[];
  readonly #log: string;
  readonly #place: Place;
  #master: number | undefined;

  /** Two of them in one lab need two names. */
  constructor(lab: Lab, services: readonly Smtpd[], name = "postfix", place = host) {
    this.#lab = lab;
    this.#services = services;
    this.name = name;
    this.#place = place;
    this.config = lab.path(name, "etc");
    this.#log = lab.path(name, "mail.log");
  }

  async start(): Promise<void> {
    const lab = this.#lab;
    await this.configure();
    await lab.folder(`${this.name}/queue`);
    await lab.folder(`${this.name}/data`, userId("postfix"));
    await ran(this.#place.inside(["postfix", "-c", this.config, "start"]));
    this.#master = Number(readFileSync(lab.path(this.name, "queue/pid/master.pid"), "utf8"));
  }

  async stop(): Promise<void> {
    const master = this.#master;
    this.#master = undefined;
    if (master === undefined || !lives(master)) return;
    process.kill(master, "SIGTERM");
    await until("the end of Postfix's master", () => !lives(master), { within: 5000 });
    await endSession(master);
  }

  /**
   * Builds a table of the lab by hand from `key value` lines, as an administrator would. A table has to exist before
   * Postfix starts: an smtpd that once found none refuses all mail until a reload.
   */
  async postmap(table: string, source = ""): Promise<void> {
    await this.configure();
    const [, type = "", path = ""] = /^(\w+):(.*)$/.exec(table) ?? [];
    const name = path.slice(this.#lab.dir.length + 1);
    await this.#lab.file(name, source);
    await ran(["postmap", "-c", this.config, `${type}:${path}`]);
  }

  said(): string {
    return existsSync(this.#log) ? tail(readFileSync(this.#log, "utf8")) : "";
  }

  /** Writes its configuration, which postmap needs too. */
  async configure(): Promise<void> {
    if (existsSync(this.config)) return;
    const main = await this.#lab.file(`${this.name}/etc/main.cf`, this.#main());
    // Every Postfix program waits for two seconds before it trusts a main.cf that has just been written.
    const earlier = new Date(Date.now() - 10_000);
    await utimes(main, earlier, earlier);
    await this.#lab.file(
      `${this.name}/etc/master.cf`,
      this.#services.map(smtpd).join("") + services,
    );
  }

  #main(): string {
    const { dir } = this.#lab;
    const own = this.#lab.path(this.name);
    return `compatibility_level = 3.6
queue_directory = ${own}/queue
data_directory = ${own}/data
maillog_file = ${this.#log}
maillog_file_prefixes = /${dir.split("/")[1] ?? ""}
myhostname = mx.lab.test
mydestination = lab.test
local_recipient_maps =
alias_maps =
alias_database =
mynetworks =
inet_interfaces = ${loopback.join(", ")}
inet_protocols = ${loopback.length > 1 ? "all" : "ipv4"}
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_relay_restrictions = reject
default_transport = discard:
local_transport = discard:
# Sessions that only ask and never send look abusive to the defaults, which then make them wait.
in_flow_delay = 0s
smtpd_junk_command_limit = 1000000
smtpd_error_sleep_time = 0s
smtpd_hard_error_limit = 1000000
smtpd_soft_error_limit = 1000000
smtpd_client_connection_count_limit = 0
service_throttle_time = 5s
`;
  }
}

function smtpd({ port, restrictions }: Smtpd): string {
  return `${port} inet n - n - - smtpd -o { smtpd_relay_restrictions = ${restrictions} }\n`;
}

const services = `postlog   unix-dgram n - n -    1 postlogd
pickup    unix n - n 60   1 pickup
cleanup   unix n - n -    0 cleanup
qmgr      unix n - n 300  1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -    - trivial-rewrite
bounce    unix - - n -    0 bounce
defer     unix - - n -    0 bounce
trace     unix - - n -    0 bounce
proxymap  unix - - n -    - proxymap
error     unix - - n -    - error
retry     unix - - n -    - error
discard   unix - - n -    - discard
anvil     unix - - n -    1 anvil
showq     unix n - n -    - showq
`;
