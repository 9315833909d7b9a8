/** A private systemd-journald: one of those that journald(8) calls a namespace, with sockets and files of its own. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Argv, Child, ran } from "./child.ts";
import type { Daemon, Lab, Syslog } from "./lab.ts";
import { withDevLog, withMounts } from "./namespace.ts";
import { until } from "./wait.ts";

export const journald = "/lib/systemd/systemd-journald";

/** journald. It knows its writers, as the host's does; of units only those in the lab's own control group hierarchy. */
export class Journald implements Daemon, Syslog {
  readonly name = "journald";
  /** What `journalctl --namespace` takes. */
  readonly namespace = `popgate-${randomBytes(4).toString("hex")}`;
  /** `/dev/log` of those inside. */
  readonly socket: string;
  readonly #lab: Lab;
  readonly #run: string;
  #child: Child | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#run = `/run/systemd/journal.${this.namespace}`;
    this.socket = `${this.#run}/dev-log`;
  }

  async start(): Promise<void> {
    // More than so many messages of a unit within so long are suppressed; of what is in no unit, none is.
    const config = "[Journal]\nRateLimitIntervalSec=1s\nRateLimitBurst=1\n";
    const file = await this.#lab.file(`journald/journald@${this.namespace}.conf`, config);
    const child = new Child(withMounts(ownConfig, file, [journald, this.namespace]));
    this.#child = child;
    await until("journald's socket", () => {
      if (!child.running) throw new Error("it ended");
      return existsSync(this.socket);
    });
  }

  /** Removes its files, too. */
  async stop(): Promise<void> {
    await this.#child?.stop();
    for (const path of [this.#run, ...this.#places])
      await rm(path, { recursive: true, force: true });
  }

  inside(argv: Argv): Argv {
    return withDevLog(this.socket, argv);
  }

  /** The same command, for which this is the host's journald. */
  asHosts(argv: Argv): Argv {
    return withMounts(hostsJournal, this.#directory, argv);
  }

  /** Sends an entry in journald's own protocol, in which a value may hold line feeds. */
  async send(fields: Readonly<Record<string, string>>): Promise<void> {
    const parts = Object.entries(fields).flatMap(([name, value]) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(Buffer.byteLength(value)));
      return [Buffer.from(`${name}\n`), length, Buffer.from(`${value}\n`)];
    });
    const [socket, entry] = [`${this.#run}/socket`, Buffer.concat(parts).toString("hex")];
    await ran(["perl", "-MSocket", "-e", datagram, socket, entry]);
  }

  /** Runs journalctl on it; gives what it printed. */
  async journalctl(...options: string[]): Promise<string> {
    return await ran(["journalctl", "--no-pager", `--namespace=${this.namespace}`, ...options]);
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  get #directory(): string {
    const directory = this.#places.find((path) => existsSync(path));
    if (directory === undefined) throw new Error("it has no files");
    return directory;
  }

  get #places(): readonly string[] {
    const machine = readFileSync("/etc/machine-id", "latin1").trim();
    return ["/var", "/run"].map((root) => `${root}/log/journal/${machine}.${this.namespace}`);
  }
}

// Node has no Unix datagrams.
const datagram = `
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "$!";
send($socket, pack("H*", $ARGV[1]), 0, pack_sockaddr_un($ARGV[0])) or die "$!";
`;

// Its config has a fixed place, and units are known by the control groups that it sees.
const ownConfig = `
file=$1; shift
mount -t tmpfs -o mode=755 tmpfs /etc/systemd
cp "$file" /etc/systemd
mount -t tmpfs -o mode=755 tmpfs /sys
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
exec "$@"
`;

const hostsJournal = `
files=$1; shift
mount --bind "$files" /mnt
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/log/journal/$(cat /etc/machine-id)
mount --move /mnt /run/log/journal/$(cat /etc/machine-id)
exec "$@"
`;

const ownGroup = `
unit=$1; shift
mount -t cgroup2 cgroup2 /mnt
mkdir -p "/mnt/$unit"
echo $$ > "/mnt/$unit/cgroup.procs"
umount /mnt
exec "$@"
`;

const noGroup = `
mount -t cgroup2 cgroup2 /mnt
rmdir "/mnt/$1"
`;

/** The same command, run as if it were this unit. */
export function asUnit(unit: string, argv: Argv): Argv {
  return withMounts(ownGroup, unit, argv);
}

/** Removes what `asUnit` made, once nobody runs in it. */
export function withoutUnit(unit: string): Argv {
  return withMounts(noGroup, unit, ["true"]);
}
