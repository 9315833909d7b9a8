/** A private systemd: process 1 of namespaces of its own, on an overlay of the host's files, with nothing of the host's units. */

import { readFileSync } from "node:fs";
import { type Answer, type Argv, Child, answer } from "./child.ts";
import { type Daemon, type Lab, tail } from "./lab.ts";
import { until } from "./wait.ts";

/** The program. */
export const systemd = "/lib/systemd/systemd";

/** systemd. What is written to its files is gone with it. */
export class Systemd implements Daemon {
  readonly name = "systemd";
  readonly #lab: Lab;
  readonly #shared: readonly (readonly [string, string])[];
  #child: Child | undefined;

  /** `shared` are directories of the lab, and where they are in its files. */
  constructor(lab: Lab, shared: readonly (readonly [string, string])[]) {
    this.#lab = lab;
    this.#shared = shared;
  }

  async start(): Promise<void> {
    const scratch = await this.#lab.folder("systemd");
    const boot = await this.#lab.file("systemd.sh", second);
    const argv: Argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", first];
    const shared = this.#shared.flat();
    this.#child = new Child([...argv, "sh", this.#group, boot, scratch, systemd, ...shared]);
    await until("systemd to run", async () => {
      if (this.#child?.running !== true) throw new Error("it ended at once");
      return this.#init !== undefined && (await this.command("is-system-running")).code === 0;
    });
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    await answer(["unshare", "--mount", "sh", "-c", last, "sh", this.#group]);
  }

  said(): string {
    return tail(this.#child?.lines.join("\n") ?? "");
  }

  /** Runs systemctl with these words. */
  command(...words: string[]): Promise<Answer> {
    return this.inside("systemctl", "--no-pager", ...words);
  }

  /** One property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    const { stdout } = await this.command("show", "--value", `--property=${name}`, unit);
    return stdout.trim();
  }

  /** Runs a program among its files and processes. */
  inside(...argv: Argv): Promise<Answer> {
    const among = ["--target", String(this.#init), "--all", "--root", "--wd"];
    return answer(["nsenter", ...among, ...argv]);
  }

  get #group(): string {
    return `popgate-lab-${this.#lab.dir.split("-").at(-1) ?? ""}`;
  }

  /** The one child of unshare, once it has become systemd. */
  get #init(): number | undefined {
    const pid = this.#child?.pid;
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
      const [child = ""] = children.trim().split(" ");
      const name = child === "" ? "" : readFileSync(`/proc/${child}/comm`, "latin1");
      return name === "systemd\n" ? Number(child) : undefined;
    } catch {
      // What prepares its place comes and goes.
      return undefined;
    }
  }
}

// A control group of its own, which is the root of those that it sees.
const first = `
group=$1; shift
mount -t cgroup2 cgroup2 /mnt
mkdir "/mnt/$group"
echo $$ > "/mnt/$group/cgroup.procs"
umount /mnt
exec unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private sh -e "$@"
`;

// A group can be removed once the last of its processes is gone, which their killer does not wait for.
const last = `
mount -t cgroup2 cgroup2 /mnt
for try in $(seq 50); do
  find "/mnt/$1" -depth -type d -exec rmdir {} ';' 2> /dev/null
  if [ ! -d "/mnt/$1" ]; then exit; fi
  sleep 0.1
done
`;

// A changed root would not do: systemd makes user namespaces for its units, which nobody may there.
const second = `
scratch=$1 systemd=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs "$scratch"
changes=$scratch/changes root=$scratch/root
mkdir "$changes" "$scratch/work" "$root"
for part in / /usr /var /etc; do
  if [ "$part" = / ] || mountpoint -q "$part"; then
    name=$(echo "root$part" | tr / -)
    mkdir -p "$changes/$name" "$scratch/work/$name"
    mount -t overlay overlay \\
      -o "lowerdir=$part,upperdir=$changes/$name,workdir=$scratch/work/$name" "$root$part"
  fi
done
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/mqueue" "$root/dev/hugepages"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/full" c 1 7
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
while [ $# -gt 0 ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  shift 2
done
mkdir -p "$root/etc/systemd/system"
for unit in sysinit basic lab; do
  printf '[Unit]\\nDescription=%s\\nAllowIsolate=yes\\n' $unit > "$root/etc/systemd/system/$unit.target"
done
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  "$systemd" --system --unit=lab.target --log-target=console --show-status=0
`;
