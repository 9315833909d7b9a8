/** A private Courier: POP3 and IMAP, logging through its own courierlogger to the lab's syslog. */

import { Child } from "./child.ts";
import { type Daemon, type Lab, listening, loopback, tail, unpacked } from "./lab.ts";
import { type Verdict, login } from "./mailbox.ts";
import { isolated } from "./namespace.ts";
import type { Rsyslog } from "./rsyslog.ts";

const user = "alice";
const password = "secret";

/** Courier. `visit` is a login of its only user, alice. */
export class Courier implements Daemon {
  readonly name = "courier";
  readonly ports = { pop3: 0, imap: 0 };
  readonly #lab: Lab;
  readonly #syslog: Rsyslog;
  #child: Child | undefined;

  constructor(lab: Lab, syslog: Rsyslog) {
    this.#lab = lab;
    this.#syslog = syslog;
  }

  async start(): Promise<void> {
    const own = await this.#lab.folder("courier");
    this.ports.pop3 ||= await this.#lab.port();
    this.ports.imap ||= await this.#lab.port();
    const { pop3, imap } = this.ports;
    const values = [own, unpacked("courier"), password, addresses(pop3), addresses(imap)];
    const argv = isolated(launch, ...values);
    const child = new Child(this.#syslog.inside(argv));
    this.#child = child;
    for (const port of Object.values(this.ports)) await listening(port, child);
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGKILL");
  }

  said(): string {
    return tail([...(this.#child?.lines ?? []), this.#syslog.read("rfc3164")].join("\n"));
  }

  /** Alice logs in from a local address, and out again. */
  visit(protocol: keyof Courier["ports"], client: string): Promise<Verdict> {
    return login({ protocol, port: this.ports[protocol], client, user, password });
  }
}

// As couriertcpd wants them.
function addresses(port: number): string {
  return loopback.map((host) => `${host}.${port}`).join(",");
}

// Courier's paths are compiled in, so its files have to appear below /usr/lib and /etc. `graft` covers a directory with
// links to everything that is in it; the namespace then adds its own. No overlay: they cannot be stacked deep enough.
const launch = `
own=$1 packages=$2 password=$3 pop3=$4 imap=$5
graft() {
  mount -t tmpfs -o mode=755 tmpfs /mnt
  mkdir /mnt/.host
  mount --bind "$1" /mnt/.host
  for entry in "$1"/*; do ln -s ".host/\${entry##*/}" "/mnt/\${entry##*/}"; done
  for entry in "$packages$1"/*; do
    if [ ! -e "/mnt/\${entry##*/}" ]; then cp -a "$entry" /mnt/; fi
  done
  mount --move /mnt "$1"
}
graft /usr/lib
graft /etc
for file in passwd group; do
  rm "/etc/$file"
  cp "/etc/.host/$file" "/etc/$file"
done
echo "courier:x:9876:9876::/nonexistent:/usr/sbin/nologin" >> /etc/passwd
echo "alice:x:9877:9876::$own/alice:/bin/sh" >> /etc/passwd
echo "courier:x:9876:" >> /etc/group
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/courier/authdaemon "$own/alice/Maildir/cur" "$own/alice/Maildir/new" "$own/alice/Maildir/tmp"
chown 9876:9876 /run/courier /run/courier/authdaemon
chown -R 9877:9876 "$own/alice"
libexec=/usr/lib/courier/courier
cp "$packages/usr/bin/imapd" "$libexec/" # it runs as alice, who may not be let into the project's own directory
PATH=$packages/usr/sbin:$packages/usr/bin:$PATH

sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
userdb alice set "home=$own/alice" uid=9877 gid=9876 "mail=$own/alice/Maildir"
echo "$password" | userdbpw | userdb alice set systempw
makeuserdb

logged() { # NAME COMMAND...: its standard error becomes a syslog of that name
  name=$1; shift
  { "$@" 2>&1 >/dev/null | courierlogger -name="$name"; } &
}
set -a; . /etc/courier/authdaemonrc; set +a
logged authdaemond /usr/lib/courier/courier-authlib/authdaemond
serve="couriertcpd -address=0 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup"
logged pop3d $serve "$pop3" "$libexec/courierpop3login" "$libexec/courierpop3d" Maildir
set -a; . /etc/courier/imapd; set +a
logged imapd $serve "$imap" "$libexec/imaplogin" "$libexec/imapd" Maildir
wait
`;
