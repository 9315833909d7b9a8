/** The host fails in earnest: full disks, no watches, no descriptors, mounts that come and go. popgate goes on, and heals. */

import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Argv, answer, ran } from "../lab/child.ts";
import { Lab } from "../lab/lab.ts";
import { withLimits, withMounts } from "../lab/namespace.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { until } from "../lab/wait.ts";

let lab: Lab;
let popgate: Popgate;
/** The log as this process reaches it, and the clients that logged in. */
let log: string;
let clients: string[];

beforeEach(async () => {
  lab = await Lab.open();
  await lab.folder("logs");
  clients = [];
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(popgate.said());
  await lab.close();
});

/** Starts popgate in a place of its own on a log there. */
async function start(path: string, inside?: (argv: Argv) => Argv): Promise<void> {
  popgate = new Popgate(lab, "popgate", inside);
  await popgate.configure({
    ttl: "1h",
    source: [{ path }],
    map: [{ mta: "exim", table: lab.path("relay") }],
  });
  await lab.start(popgate);
  log = seen(path);
}

/** A path as this process reaches it: the mounts of popgate are its own. */
function seen(path: string): string {
  return join(`/proc/${popgate.pid}/root`, path);
}

/** The command that runs another one among the mounts of popgate. */
function amongItsMounts(...argv: Argv): Argv {
  return ["nsenter", "--mount", "--root", `--target=${popgate.pid}`, "--", ...argv];
}

/** The line of a login from an address that has not been used yet. */
function login(): string {
  const n = clients.length;
  const client = `198.51.${100 + Math.floor(n / 200)}.${(n % 200) + 11}`;
  clients.push(client);
  const at = new Date().toISOString();
  return `${at} mx dovecot: imap-login: Login: user=<user${n}>, method=PLAIN, rip=${client}, lip=192.0.2.1, mpid=${n + 1}, session=<${n}>\n`;
}

function logIn(times = 1, to = log): void {
  for (let i = 0; i < times; i++) fs.appendFileSync(to, login());
}

function rotate(): void {
  for (const age of [3, 2, 1])
    if (fs.existsSync(`${log}.${age}`)) fs.renameSync(`${log}.${age}`, `${log}.${age + 1}`);
  fs.renameSync(log, `${log}.1`);
}

/** Everybody who logged in is granted once, and in the table; nobody else is. */
async function allGranted(): Promise<void> {
  const granted = (): string[] =>
    popgate.lines.flatMap((line) => /^granted client=(\S+)/.exec(line)?.[1] ?? []);
  await until("all grants", () => granted().length >= clients.length);
  expect(granted().toSorted()).toEqual(clients.toSorted());
  const table = (): string[] =>
    fs
      .readFileSync(lab.path("relay"), "utf8")
      .split("\n")
      .filter((line) => /^\d/.test(line));
  await until("all in the table", () => table().length >= clients.length);
  expect(table().toSorted()).toEqual(clients.toSorted());
}

/** What `popgate list --sources` tells in the end: all is read, nothing is behind, and nothing was dropped or may be lost. */
async function toldAtLast(rotations: number): Promise<void> {
  const told = async () => (await popgate.sources())[0];
  await until("all to be read", async () => (await told())?.lines === clients.length);
  expect(await told()).toEqual({
    name: expect.stringMatching(/mail\.log$/),
    position: String(fs.statSync(log).size),
    lag_bytes: 0,
    lag_seconds: 0,
    lines: clients.length,
    rotations,
    dropped: { too_long: 0, unterminated: 0, untrusted: 0 },
    gaps: 0,
    last_line: expect.stringMatching(/^\d{4}-.*Z$/),
  });
}

/** How many inotify watches it has, see proc(5). */
function watches(): number {
  const directory = `/proc/${popgate.pid}/fdinfo`;
  const infos = fs.readdirSync(directory).map((descriptor) => join(directory, descriptor));
  const open = infos.filter((path) => fs.existsSync(path));
  const texts = open.map((path) => fs.readFileSync(path, "latin1"));
  return texts.join("").match(/^inotify wd/gm)?.length ?? 0;
}

/** How often it told something. */
function times(pattern: RegExp): number {
  return popgate.lines.filter((line) => pattern.test(line)).length;
}

const tmpfs = 'mkdir -p "$1"; mount -t tmpfs -o size=256k,mode=755 tmpfs "$1"; shift; exec "$@"';

/** Leaves so many bytes on a disk of whole pages. */
function fill(directory: string, left: number): void {
  const { bavail, bsize } = fs.statfsSync(directory);
  fs.writeFileSync(join(directory, "filler"), Buffer.alloc(bavail * bsize - left));
}

describe.skipIf(lacks("root", "namespaces"))("a disk of its own", () => {
  it("is full: half a line grants nothing, nor does what is glued to it; and then all is well", async () => {
    const path = lab.path("logs", "mail.log");
    await start(path, (argv) => withMounts(tmpfs, lab.path("logs"), argv));
    logIn(3);
    await allGranted();
    for (const goesOn of [true, false]) {
      // The page that the log ends in takes the line up to the middle of its address.
      const line = login();
      const cut = line.indexOf(", lip=") - 1;
      const page = 4096 - (fs.statSync(log).size % 4096);
      fs.appendFileSync(log, `${"x".repeat((page - cut + 4096 - 1) % 4096)}\n`);
      fill(seen(lab.path("logs")), 0);
      const writer = fs.openSync(log, "a");
      expect(fs.writeSync(writer, line)).toBe(cut);
      expect(() => fs.writeSync(writer, line.slice(cut))).toThrow("ENOSPC");
      fs.rmSync(seen(lab.path("logs", "filler")));
      if (goesOn) {
        fs.writeSync(writer, line.slice(cut));
      } else {
        // Both are lost: the line has no end of its own, and the next one no beginning.
        fs.writeSync(writer, login());
        clients.splice(-2);
      }
      fs.closeSync(writer);
      logIn(3);
      await allGranted();
    }
    expect(times(/possible gap/)).toBe(0);
  });

  it("is unmounted and mounted again, twice the same and then another", async () => {
    const disk = lab.path("logs", "disk");
    await lab.folder("logs/other");
    const path = join(disk, "mail.log");
    const mounted = `other=$1; shift; mount -t tmpfs tmpfs "$other"; mkdir "${disk}"; mount --bind "$other" "${disk}"; exec "$@"`;
    await start(path, (argv) => withMounts(mounted, lab.path("logs", "other"), argv));
    const aside = seen(lab.path("logs", "other", "mail.log"));
    logIn(3);
    await allGranted();
    for (const round of [1, 2]) {
      await ran(amongItsMounts("umount", "--lazy", disk));
      await until("it to be told", () => times(/^warning: log missing/) === round);
      logIn(3, aside);
      await ran(amongItsMounts("mount", "--bind", lab.path("logs", "other"), disk));
      logIn(3);
      await allGranted();
    }
    await ran(amongItsMounts("umount", "--lazy", disk));
    await ran(amongItsMounts("mount", "-t", "tmpfs", "tmpfs", disk));
    logIn(3, aside);
    logIn(3);
    await allGranted();
    expect(times(/possible gap/)).toBe(0);
  });

  it("holds the state and is full: logins are granted, it is told once, and then it is saved", async () => {
    await lab.folder("popgate/state");
    await start(lab.path("logs", "mail.log"), (argv) =>
      withMounts(tmpfs, lab.path("popgate", "state"), argv),
    );
    fill(seen(lab.path("popgate", "state")), 0);
    logIn(30);
    await until("it to be told", () => times(/state/) > 0);
    rotate();
    logIn(30);
    await allGranted();
    expect(times(/state/)).toBe(1);
    fs.rmSync(seen(lab.path("popgate", "state", "filler")));
    await popgate.told(/^state saved again/);
  });
});

describe.skipIf(lacks("root", "namespaces"))("a log that is mounted by itself", () => {
  it("is warned of, and read", async () => {
    const path = lab.path("logs", "mail.log");
    await lab.file("logs/mail.log", "");
    await start(path, (argv) => withMounts('mount --bind "$1" "$1"; shift; exec "$@"', path, argv));
    expect(
      times(/^warning: log is mounted as a single file source=\S+mail\.log.*mount its directory/),
    ).toBe(1);
    const { stdout } = await answer(amongItsMounts(...popgate.argv("check")));
    expect(stdout).toContain("it is mounted as a single file");
    logIn(3);
    await allGranted();
    // Its rotation outside is what is not seen.
    log = path;
    rotate();
    logIn(1);
    clients.pop();
    logIn(3, seen(path));
    await allGranted();
  });
});

describe.skipIf(lacks("user namespaces"))("no more watches, for want of", () => {
  it.each([
    ["watches", "max_inotify_watches"],
    ["instances", "max_inotify_instances"],
  ])(
    "%s: told once, nothing is lost, and when there are some again they are used",
    async (_, limit) => {
      const path = lab.path("logs", "mail.log");
      await lab.file("logs/mail.log", "");
      await start(path, (argv) =>
        withLimits('echo 0 > "/proc/sys/user/$1"; shift; exec "$@"', limit, argv),
      );
      log = path;
      await popgate.told(/^warning: cannot watch/);
      for (let round = 0; round < 3; round++) {
        logIn(5);
        rotate();
        logIn(5);
        rotate();
        logIn(5);
        await allGranted();
        fs.copyFileSync(log, `${log}.1`);
        fs.truncateSync(log);
        logIn(1);
        await allGranted();
      }
      expect(times(/cannot watch/)).toBe(1);
      await toldAtLast(9);
      const inIt = ["--user", "--preserve-credentials", `--target=${popgate.pid}`];
      const raise = 'echo 100 > "/proc/sys/user/$1"';
      await ran(["nsenter", ...inIt, "sh", "-c", raise, "sh", limit]);
      expect(watches()).toBe(0);
      rotate();
      logIn(1);
      await until("the new file to be watched", () => watches() > 0);
      await allGranted();
    },
  );
});

describe("no descriptors", () => {
  it("for a while: it lives, tells it once, and makes up for it", async () => {
    const path = lab.path("logs", "mail.log");
    await lab.file("logs/mail.log", "");
    await start(path);
    logIn(3);
    await allGranted();
    const limit = (soft: string) => ran(["prlimit", `--pid=${popgate.pid}`, `--nofile=${soft}:`]);
    const usual = await ran([
      "prlimit",
      `--pid=${popgate.pid}`,
      "--nofile",
      "--output=SOFT",
      "--noheadings",
    ]);
    await limit("3");
    logIn(3);
    rotate();
    logIn(3);
    rotate();
    logIn(3);
    await popgate.told(/too many open files/);
    await until("the open file to be read", () => times(/^granted/) === 6);
    await limit(usual.trim());
    await allGranted();
    logIn(3);
    await allGranted();
    expect(times(/^warning: log unreadable/)).toBe(1);
    await toldAtLast(2);
  });
});
