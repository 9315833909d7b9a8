/** A private Exim 4.96 that relays for whom its host lists name, one list for each port. Accepted mail stays in its queue. */

import { Child } from "./child.ts";
import { type Daemon, host, type Lab, loopback, type Place, unpacked } from "./lab.ts";
import { isolated, withAccounts } from "./namespace.ts";

/** One door: a port, and the host list whose clients may relay there. */
export interface EximPort {
  readonly port: number;
  /** As the configuration has it: a path, or `net-iplsearch;` and a path. */
  readonly list: string;
}

/** Exim. The files of its lists may be missing when it starts. */
export class Exim implements Daemon {
  readonly name = "exim";
  readonly #lab: Lab;
  readonly #ports: readonly EximPort[];
  readonly #place: Place;
  #child: Child | undefined;

  constructor(lab: Lab, ports: readonly EximPort[], place = host) {
    this.#lab = lab;
    this.#ports = ports;
    this.#place = place;
  }

  async start(): Promise<void> {
    const own = await this.#lab.folder("exim");
    const config = await this.#lab.file("exim/exim.conf", this.#config(own));
    const program = `${unpacked("exim")}/usr/sbin/exim4`;
    this.#child = new Child(this.#place.inside(isolated(launch, own, program, config)));
    for (const { port } of this.#ports) await this.#place.listening(port, this.#child);
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGKILL");
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  #config(own: string): string {
    const ports = this.#ports.map(({ port }) => port).join(" : ");
    const doors = this.#ports.map(
      ({ port, list }) =>
        `  accept condition = \${if eq{$received_port}{${port}}}\n         hosts = ${list}\n`,
    );
    return `keep_environment =
tls_advertise_hosts =
primary_hostname = mx.lab.test
log_file_path = ${own}/%slog
spool_directory = ${own}/spool
pid_file_path = ${own}/pid
daemon_smtp_ports = ${ports}
local_interfaces = <; ${loopback.join(" ; ")}
queue_only = true
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept domains = mx.lab.test
${doors.join("")}  deny message = relay not permitted
begin routers
all:
  driver = accept
  transport = none
begin transports
none:
  driver = appendfile
  file = /dev/null
  user = mail
`;
  }
}

const launch = `
own=$1 program=$2 config=$3
${withAccounts(["Debian-exim", 9878])}
mkdir -p "$own/spool"
chown 9878:9878 "$own" "$own/spool"
exec "$program" -bdf "-C$config"
`;
