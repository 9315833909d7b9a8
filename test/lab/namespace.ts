/** A namespace of the kernel for one daemon: its mounts and processes are its own and end with it. */

import type { Argv } from "./child.ts";

// With --kill-child, killing unshare (which passes no milder signal on) ends everything that is inside.
const kinds = "--mount --uts --pid --fork --kill-child --propagation private".split(" ");

/** The command that runs a shell script as root of a user namespace, whose limits are its own; it ends by becoming `argv`. */
export function withLimits(script: string, value: string, argv: Argv): Argv {
  return ["unshare", "--user", "--map-root-user", "sh", "-ec", script, "sh", value, ...argv];
}

/** The command that runs a fixed shell script, with these values as $1, $2 ..., in namespaces of its own. */
export function isolated(script: string, ...values: string[]): Argv {
  return ["unshare", ...kinds, "sh", "-ec", script, "sh", ...values];
}

/** The same, but only the mounts are its own, and the script ends by becoming `argv`. */
export function withMounts(script: string, value: string, argv: Argv): Argv {
  const mounts = "--mount --propagation private".split(" ");
  return ["unshare", ...mounts, "sh", "-ec", script, "sh", value, ...argv];
}

/** The same command, in a network of its own that is nothing but its loopback; the pid is that of `argv`. */
export function withNetwork(argv: Argv): Argv {
  return ["unshare", "--net", "perl", "-MSocket", "-e", loopbackUp, ...argv];
}

/** The same command, in the network of this process. */
export function inNetworkOf(pid: number, argv: Argv): Argv {
  return ["nsenter", "--target", String(pid), "--net", ...argv];
}

/** The same command, with a /dev of its own whose log is this socket. */
export function withDevLog(socket: string, argv: Argv): Argv {
  return withMounts(ownDev, socket, argv);
}

/** Lines for a script with mounts of its own: inside, there are these accounts, too. `$own` is a directory for the files that say so. */
export function withAccounts(...accounts: (readonly [name: string, id: number])[]): string {
  const lines = accounts.map(
    ([name, id]) => `
echo "${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin" >> "$own/passwd"
echo "${name}:x:${id}:" >> "$own/group"`,
  );
  return `
for file in passwd group; do
  cat "/etc/$file" > "$own/$file"
  mount --bind "$own/$file" "/etc/$file"
done${lines.join("")}
`;
}

// SIOCSIFFLAGS with IFF_UP, as ip(8) does it, which a host may lack.
const loopbackUp = `
  socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die "$!";
  my $flags = pack("a16 s x22", "lo", 1);
  ioctl($socket, 0x8914, $flags) or die "$!";
  exec(@ARGV) or die "$!";
`;

// Dovecot and Courier know no other socket than /dev/log, and the host's /dev is not ours to change.
const ownDev = `
socket=$1; shift
mount -t tmpfs -o mode=755 tmpfs /mnt
for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- $node "$@"
  mknod -m 666 "/mnt/$1" c "$2" "$3"
  shift 3
done
mkdir /mnt/shm
mount -t tmpfs tmpfs /mnt/shm
ln -s /proc/self/fd /mnt/fd
ln -s "$socket" /mnt/log
mount --move /mnt /dev
exec "$@"
`;
