/** A real journald, with a real Dovecot that logs into it and a real logger that forges. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Argv, Child, ran } from "../lab/child.ts";
import { Dovecot } from "../lab/dovecot.ts";
import { Journald, asUnit, withoutUnit } from "../lab/journald.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate, program } from "../lab/popgate.ts";
import { sessionOf } from "../lab/process.ts";
import { until } from "../lab/wait.ts";

const needs = ["root", "namespaces", "journald"] as const;

/** The whole text of a login, as Dovecot writes it. */
function login(user: string, client: string): string {
  return `pop3-login: Login: user=<${user}>, method=PLAIN, rip=${client}, lip=127.0.0.1, mpid=1, session=<x>`;
}

/** Logs a message as Dovecot does, or the lines of its standard input. */
function logger(journald: Journald, ...message: string[]): Argv {
  return ["logger", "--socket", journald.socket, "--tag", "dovecot", ...message];
}

/** Says too much at a time, and something else a second later: perl lives on, as the logger of a daemon does. */
const chatter = `exec perl -MSocket -e '
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "$!";
  my $to = pack_sockaddr_un($ARGV[0]);
  for (;;) {
    send($socket, "<22>dovecot: $_", 0, $to) for $ARGV[1], 1 .. 200;
    sleep 1;
  }' "$@"`;

describe.skipIf(lacks(...needs, "dovecot"))("Dovecot -> journald -> popgate", () => {
  let lab: Lab;
  let journald: Journald;
  let dovecot: Dovecot;
  let popgate: Popgate;
  let table: string;

  const configure = (trust: Readonly<Record<string, string>>) =>
    popgate.configure({
      ttl: "10m",
      source: [{ type: "journal", namespace: journald.namespace, trust }],
      map: [{ mta: "exim", table }],
    });
  const granted = (client: string): boolean =>
    existsSync(table) && readFileSync(table, "utf8").split("\n").includes(client);
  const isGranted = (client: string) => until(`${client} to be granted`, () => granted(client));
  const gaps = (): readonly string[] =>
    popgate.lines.filter((line) => line.includes("possible gap"));

  beforeAll(async () => {
    lab = await Lab.open();
    await lab.folder("maps");
    table = lab.path("maps", "relay");
    journald = await lab.start(new Journald(lab));
    dovecot = await lab.start(new Dovecot(lab, { syslog: journald }));
    popgate = new Popgate(lab);
    await configure({ _UID: "0" });
    await lab.start(popgate);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(popgate.said());
  });
  afterAll(() => lab?.close());

  it("a login is granted, one that fails is not", async () => {
    expect(await dovecot.visit("pop3", "127.0.0.2")).toMatchObject({ ok: true });
    await isGranted("127.0.0.2");
    expect(await dovecot.visit("imap", "127.0.0.3")).toMatchObject({ ok: true });
    await isGranted("127.0.0.3");
  });

  it("what another user forges is refused and told; so is a message with a line feed", async () => {
    const nobody = ["setpriv", "--reuid=65534", "--clear-groups"] as const;
    await ran([...nobody, ...logger(journald, login("alice", "192.0.2.66"))]);
    // A native client may send what syslog's protocol cannot hold.
    const fields = { SYSLOG_IDENTIFIER: "dovecot", MESSAGE: `x\n${login("alice", "192.0.2.67")}` };
    const second = { ...fields, MESSAGE: `${login("alice", "192.0.2.68")}\n` };
    for (const each of [fields, second]) await journald.send(each);
    expect(await dovecot.visit("pop3", "127.0.0.4")).toMatchObject({ ok: true });
    await isGranted("127.0.0.4");
    expect(readFileSync(table, "utf8")).not.toContain("192.0.2.");
    expect(await popgate.told(/line untrusted/)).toContain("dropped=1");
    await popgate.told(/line refused.*control/);
  });

  it("check proposes the tightest demand; then not even root forges", async () => {
    const { stdout } = await popgate.command("check");
    const proposed = /tightest demand that they satisfy: trust = (\{ .* \})/.exec(stdout)?.[1];
    // In a changed root, journald sees the whole path to it.
    const exe = /_EXE = "([^"]*\/usr\/lib\/dovecot\/log)"/.exec(proposed ?? "")?.[1] ?? "";
    expect(proposed).toBe(`{ _UID = "0", _COMM = "log", _EXE = "${exe}", _TRANSPORT = "syslog" }`);
    await ran(logger(journald, login("alice", "192.0.2.70")));
    await isGranted("192.0.2.70");
    await configure({
      _UID: "0",
      _COMM: "log",
      _EXE: exe,
      _TRANSPORT: "syslog",
    });
    popgate.signal("SIGHUP");
    await popgate.told(/^reloaded/);
    await ran(logger(journald, login("alice", "192.0.2.71")));
    expect(await dovecot.visit("pop3", "127.0.0.5")).toMatchObject({ ok: true });
    await isGranted("127.0.0.5");
    expect(granted("192.0.2.71")).toBe(false);
    expect((await popgate.command("check")).stdout).toContain("as tight as these logins allow");
  });

  it("a journalctl that dies is started again, and nothing is lost", async () => {
    const before = popgate.lines.length;
    const children = sessionOf(popgate.pid).filter((pid) => pid !== popgate.pid);
    expect(children).toHaveLength(1);
    for (const pid of children) process.kill(pid, "SIGKILL");
    expect(await dovecot.visit("pop3", "127.0.0.6")).toMatchObject({ ok: true });
    await isGranted("127.0.0.6");
    expect(await popgate.told(/journal unreadable/, before)).toContain("ended by SIGKILL");
  });

  it("journals are rotated and removed, and it goes on", async () => {
    await journald.journalctl("--rotate");
    await journald.journalctl("--vacuum-files=1");
    expect(await dovecot.visit("imap", "127.0.0.7")).toMatchObject({ ok: true });
    await isGranted("127.0.0.7");
    expect(gaps()).toEqual([]);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("%s: it goes on where it was", async (signal) => {
    const client = signal === "SIGTERM" ? "127.0.0.8" : "127.0.0.9";
    popgate.signal(signal);
    await popgate.ended;
    expect(await dovecot.visit("pop3", client)).toMatchObject({ ok: true });
    await lab.start(popgate);
    await isGranted(client);
    expect(gaps()).toEqual([]);
  });

  it("entries that were removed unread are a possible gap", async () => {
    popgate.signal("SIGTERM");
    await popgate.ended;
    expect(await dovecot.visit("pop3", "127.0.0.10")).toMatchObject({ ok: true });
    await journald.journalctl("--sync");
    await journald.stop();
    await journald.start();
    await lab.start(popgate);
    await popgate.told(/possible gap.*not in the journal any more/);
  });
});

describe.skipIf(lacks(...needs, "postfix"))("popgate run --journal, without a config", () => {
  let lab: Lab;
  let journald: Journald;
  let popgate: Child;
  let writer: Child | undefined;
  const unit = (): string => `${journald.namespace}.service`;

  beforeAll(async () => {
    lab = await Lab.open();
    await lab.folder("maps");
    journald = await lab.start(new Journald(lab));
    const flags = [
      "--journal",
      "--map",
      lab.path("maps", "relay"),
      "--state-dir",
      lab.path("state"),
    ];
    popgate = new Child(journald.asHosts([process.execPath, program, "run", ...flags]));
    await popgate.line(/^ready/);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(popgate.lines.join("\n"));
  });
  afterAll(async () => {
    await popgate?.stop();
    await writer?.stop();
    if (writer !== undefined) await ran(withoutUnit(unit()));
    await lab?.close();
  });

  it("reads the host's journal", async () => {
    await ran(logger(journald, login("alice", "192.0.2.80")));
    await popgate.line(/^granted client=192\.0\.2\.80 /);
  });

  it.skipIf(lacks("groups"))("knows units, and that one of them was suppressed", async () => {
    // journald asks the kernel who wrote an entry when it reads it: a writer that has ended by then is in no unit.
    writer = new Child(
      asUnit(unit(), ["sh", "-c", chatter, "sh", journald.socket, login("bob", "192.0.2.81")]),
    );
    await popgate.line(/^granted client=192\.0\.2\.81 /);
    expect(await popgate.line(/possible gap/)).toMatch(
      new RegExp(`journald suppressed \\d+ messages from ${unit().replaceAll(".", "\\.")}`),
    );
    const entry = JSON.parse(
      await journald.journalctl("--output=json", "--lines=1", `--unit=${unit()}`),
    );
    expect(entry).toMatchObject({ _SYSTEMD_UNIT: unit() });
  });
});
