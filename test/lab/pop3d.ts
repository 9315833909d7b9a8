/** A private popa3d, solid-pop3d, or pop3d and imap4d of GNU mailutils, logging in to the accounts of a host of their own. */

import { readFileSync, readlinkSync } from "node:fs";
import { Child, answer, ran } from "./child.ts";
import { type Daemon, type Lab, type Syslog, tail, unpacked } from "./lab.ts";
import type { Verdict } from "./mailbox.ts";
import { inNetworkOf, isolated, withNetwork } from "./namespace.ts";
import { until } from "./wait.ts";

const user = "alice";
const password = "secret";

/** Their names, which are those of their unpacked packages, with what they speak. */
export const servers = {
  popa3d: ["pop3"],
  "solid-pop3d": ["pop3"],
  mailutils: ["pop3", "imap"],
} as const;

const ports = { pop3: 110, imap: 143 } as const;

/** One of them. `visit` is a login of its only user, alice; it has a network of its own, where nobody else can. */
export class Pop3d implements Daemon {
  readonly name: keyof typeof servers;
  readonly #lab: Lab;
  readonly #syslog: Syslog;
  #child: Child | undefined;

  constructor(lab: Lab, name: keyof typeof servers, syslog: Syslog) {
    this.name = name;
    this.#lab = lab;
    this.#syslog = syslog;
  }

  async start(): Promise<void> {
    const own = await this.#lab.folder(this.name);
    const hash = (await ran(["openssl", "passwd", "-6", password])).trim();
    const argv = isolated(launch + daemons[this.name], own, unpacked(this.name), hash);
    const child = new Child(withNetwork(this.#syslog.inside(argv)));
    this.#child = child;
    for (const protocol of servers[this.name]) {
      await until(`${protocol} to listen`, () => {
        if (!child.running) throw new Error("it ended at once");
        return listens(child.pid, ports[protocol]);
      });
    }
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGKILL");
  }

  said(): string {
    return tail(this.#child?.lines.join("\n") ?? "");
  }

  /** Someone logs in from a local address, and out again: alice with her own password, unless told otherwise. */
  async visit(
    protocol: keyof typeof ports,
    client: string,
    account: { readonly user?: string; readonly password?: string } = {},
  ): Promise<Verdict> {
    if (this.#child === undefined) throw new Error(`${this.name} was not started`);
    const given = { user, password, ...account };
    const commands =
      protocol === "pop3"
        ? [`USER ${given.user}`, `PASS ${given.password}`, "QUIT"]
        : [`a LOGIN "${given.user}" "${given.password}"`, "a LOGOUT"];
    const talk = ["perl", "-MIO::Socket::INET", "-e", dialogue] as const;
    const argv = [...talk, client, String(ports[protocol]), ...commands] as const;
    const { code, stdout, stderr } = await answer(inNetworkOf(this.#child.pid, argv));
    if (code !== 0) throw new Error(`no talk with ${this.name}: ${stderr}`);
    const text = stdout.split("\n")[protocol === "pop3" ? 1 : 0] ?? "";
    return { ok: /^(?:\+|a )OK/.test(text), text };
  }
}

/** Whether something in the network of this process, which is not the host's, listens on a port. */
function listens(pid: number, port: number): boolean {
  if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync("/proc/self/ns/net")) return false;
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = readFileSync(`/proc/${pid}/net/tcp`, "latin1");
  return sockets.split("\n").some((line) => line.includes(`${local} 00000000:0000 0A`));
}

// Prints one answer to each command; untagged ones of IMAP are passed over, and a server may hang up on a failed login.
const dialogue = `
  my ($client, $port, @commands) = @ARGV;
  alarm 20;
  my $server = IO::Socket::INET->new(LocalAddr => $client, PeerAddr => "127.0.0.1", PeerPort => $port)
    or die "no connection: $@\\n";
  <$server>;
  $SIG{PIPE} = "IGNORE";
  for my $command (@commands) {
    print $server "$command\\r\\n";
    while (defined(my $answer = <$server>)) {
      next if $answer =~ /^\\* /;
      print $answer;
      last;
    }
  }
`;

// All of them ask PAM for the host's accounts, and popa3d knows no other port than 110.
const launch = `
own=$1 packages=$2 hash=$3
mkdir "$own/pam" "$own/mail" "$own/home"
cp /etc/passwd /etc/shadow "$own/"
chmod 600 "$own/shadow"
for name in popa3d:9876 spop3d:9878; do
  echo "\${name%:*}:x:\${name#*:}:8::/nonexistent:/usr/sbin/nologin" >> "$own/passwd"
done
echo "alice:x:9877:8::$own/home:/bin/sh" >> "$own/passwd"
echo "alice:$hash:19000::::::" >> "$own/shadow"
printf '%s required pam_unix.so nodelay\\n' auth account > "$own/pam/other"
printf 'From x Mon Nov 23 06:00:00 2026\\nSubject: x\\n\\nx\\n' > "$own/mail/alice"
chmod 1777 "$own/mail"
chown 9877:8 "$own/mail/alice" "$own/home"
mount --bind "$own/passwd" /etc/passwd
mount --bind "$own/shadow" /etc/shadow
mount --bind "$own/pam" /etc/pam.d
mount --bind "$own/mail" /var/mail
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/popa3d /var/lib/solid-pop3d/bulletins
PATH=$packages/usr/sbin:$PATH
`;

// popa3d leaves for the background; with it the namespace would end. solid-pop3d is built for inetd alone. mailutils tells
// the client only if it is asked to.
const daemons = {
  popa3d: `
popa3d -D
exec sleep infinity
`,
  "solid-pop3d": `
: > "$own/spop3d.conf"
exec perl -MIO::Socket::INET -e '
  my $door = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 110, Listen => 5) or die $@;
  $SIG{CHLD} = "IGNORE";
  for (;;) {
    my $client = $door->accept or next;
    if (fork == 0) {
      open(STDIN, "<&", $client) && open(STDOUT, ">&", $client) && exec(@ARGV);
      die $!;
    }
  }' solid-pop3d -f "$own/spop3d.conf"
`,
  mailutils: `
for server in pop3d:110 imap4d:143; do
  name=\${server%:*}
  {
    echo 'acl { log any; }'
    echo 'logging { facility mail; session-id yes; }'
    echo "server 127.0.0.1:\${server#*:} { transcript no; }"
  } > "$own/$name.conf"
  "$name" --no-config --config-file="$own/$name.conf" --foreground --daemon &
done
wait
`,
};
