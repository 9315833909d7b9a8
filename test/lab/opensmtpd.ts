/** A private OpenSMTPD 6.8 that relays for whom its tables name, one table for each port. Accepted mail stays in its queue. */

import { chmod } from "node:fs/promises";
import { existsSync } from "node:fs";
import { type Argv, Child } from "./child.ts";
import { type Daemon, host, type Lab, loopback, type Place, unpacked } from "./lab.ts";
import { withAccounts, withMounts } from "./namespace.ts";
import { until } from "./wait.ts";

/** One door: a port, and the table whose clients may relay there. */
export interface SmtpdPort {
  readonly port: number;
  /** What smtpd.conf calls it. */
  readonly name: string;
  /** As smtpd.conf has it: `file:/path` or `db:/path.db`. */
  readonly table: string;
}

const queueGroup = 9879;

/** OpenSMTPD. `prepare` it before its tools are used; its tables have to exist before it starts. */
export class Opensmtpd implements Daemon {
  readonly name = "opensmtpd";
  /** Its makemap and its smtpctl, as popgate's `tool` has them: they find smtpd, running or not. */
  readonly tools: { readonly makemap: string; readonly smtpctl: string };
  readonly #lab: Lab;
  readonly #ports: readonly SmtpdPort[];
  readonly #network: Place;
  #place: Child | undefined;
  #child: Child | undefined;

  constructor(lab: Lab, ports: readonly SmtpdPort[], network = host) {
    this.#lab = lab;
    this.#ports = ports;
    this.#network = network;
    this.tools = {
      makemap: lab.path("opensmtpd", "makemap"),
      smtpctl: lab.path("opensmtpd", "smtpctl"),
    };
  }

  /** Makes the place that it and its tools live in, which outlives it until the lab closes. */
  async prepare(): Promise<void> {
    const own = await this.#lab.folder("opensmtpd");
    const place = new Child(withMounts(prepared, own, ["sleep", "infinity"]));
    this.#place = place;
    await until("a place for OpenSMTPD", () => place.running && existsSync(`${own}/prepared`));
    for (const name of ["makemap", "smtpctl"] as const) {
      const argv = this.#inside(["--setgid", String(queueGroup), `${sbin}/${name}`]);
      await this.#lab.file(`opensmtpd/${name}`, `#!/bin/sh\nexec ${argv.join(" ")} "$@"\n`);
      await chmod(this.tools[name], 0o755);
    }
  }

  async start(): Promise<void> {
    if (this.#place === undefined) await this.prepare();
    const config = await this.#lab.file("opensmtpd/smtpd.conf", this.#config());
    this.#child = new Child(
      this.#network.inside(this.#inside([`${sbin}/smtpd`, "-d", "-f", config])),
    );
    for (const { port } of this.#ports) await this.#network.listening(port, this.#child);
  }

  /** Ends smtpd alone: it can be started again. */
  async end(): Promise<void> {
    await this.#child?.stop();
  }

  async stop(): Promise<void> {
    await this.end();
    await this.#place?.stop();
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  #inside(argv: Argv): Argv {
    return ["nsenter", "--target", String(this.#place?.pid), "--mount", "--root", "--wd", ...argv];
  }

  #config(): string {
    const tables = this.#ports.map(({ name, table }) => `table "${name}" ${table}\n`);
    const doors = this.#ports.flatMap(({ port, name }) =>
      loopback.map((host) => `listen on ${host} port ${port} tag "${name}" hostname mx.lab.test\n`),
    );
    const rules = this.#ports.map(
      ({ name }) => `match tag "${name}" from src <"${name}"> for any action "out"\n`,
    );
    return `${tables.join("")}${doors.join("")}action "out" relay host smtp://127.0.0.1:1
${rules.join("")}`;
  }
}

const sbin = `${unpacked("opensmtpd")}/usr/sbin`;

// Its paths are compiled in, and its tools want to be of the group of its queue. It asks for the name of every client, and an
// answer that gets lost holds a session for five seconds.
const prepared = `
own=$1; shift
${withAccounts(["opensmtpd", 9878], ["opensmtpq", queueGroup])}
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs -o mode=755 tmpfs /var/spool
mkdir -m 711 /var/spool/smtpd
echo "lookup file" > "$own/resolv.conf"
mount --bind "$own/resolv.conf" /etc/resolv.conf
touch "$own/prepared"
exec "$@"
`;
