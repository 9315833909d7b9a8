/** From a host with a Dovecot and a Postfix to a circuit that works, by what `popgate setup` proposes and nothing else. */

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Argv, Child, answer } from "../lab/child.ts";
import { Dovecot } from "../lab/dovecot.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { program } from "../lab/popgate.ts";
import { Postfix } from "../lab/postfix.ts";
import { offer } from "../lab/smtp.ts";
import { until } from "../lab/wait.ts";

const client = "127.0.0.2";

// The host's own /etc and /var/lib with the lab's files in them, for whoever is in this mount namespace.
const host = `
lab=$1
mount -t tmpfs -o mode=755 tmpfs "$lab/host"
for part in etc var/lib; do
  mkdir -p "$lab/host/$part" "$lab/host/work/$part"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=$lab/host/$part,workdir=$lab/host/work/$part" "/$part"
done
mkdir -p /etc/dovecot /etc/postfix /var/lib/popgate
cp "$lab/dovecot/dovecot.conf" /etc/dovecot/
cp "$lab"/postfix/etc/*.cf /etc/postfix/
touch --date='1 hour ago' /etc/postfix/main.cf
mount --bind "$lab/state" /var/lib/popgate
echo ready
exec sleep infinity
`;

describe.skipIf(lacks("root", "namespaces", "dovecot", "postfix"))("setup", () => {
  let lab: Lab;
  let dovecot: Dovecot;
  let postfix: Postfix;
  let place: Child;
  let daemon: Child | undefined;
  let door: number;

  const inside = (...argv: Argv): Argv => [
    "nsenter",
    "--mount",
    "--root",
    "--wd",
    `--target=${place.pid}`,
    ...argv,
  ];
  const popgate = (...words: string[]): Promise<Answer> =>
    answer(inside(process.execPath, program, ...words));
  const config = "/etc/popgate/popgate.toml";
  const there = (path: string) => `/proc/${place.pid}/root${path}`;

  beforeAll(async () => {
    lab = await Lab.open();
    door = await lab.port();
    for (const folder of ["host", "state"]) await lab.folder(folder);
    dovecot = await lab.start(new Dovecot(lab));
    postfix = new Postfix(lab, [{ port: door, restrictions: "$popgate_restrictions" }]);
    await postfix.configure();
    const own = ["unshare", "--mount", "--propagation", "private"] as const;
    place = new Child([...own, "sh", "-ec", host, "sh", lab.dir]);
    await place.line(/^ready$/);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(daemon?.lines.join("\n"));
  });
  afterAll(async () => {
    await daemon?.stop();
    await place?.stop();
    await lab?.close();
  });

  it("proposes what is there, and writes nothing", async () => {
    const { code, stdout, stderr } = await popgate("setup");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^# Dovecot writes a log of its own \\(doveconf: log_path\\).*\\n\\[\\[source\\]\\]\\npath = "${dovecot.log}"$`,
        "m",
      ),
    );
    expect(stdout).toMatch(/^# The MTA of this host is postfix 3\.\S+ \(postconf\)[,;] .*it /m);
    expect(stdout).toMatch(/^mta = "postfix"\n# .*\ntable = "\w+:\/var\/lib\/popgate\/relay"$/m);
    expect(stderr).toMatch(
      /^ {4}smtpd_relay_restrictions = permit_auth_destination, check_client_access/m,
    );
    expect(stderr).toMatch(/^nothing is written/m);
    expect((await popgate("check")).code).toBe(64);
  });

  it("writes it when it is told to, and not over another one", async () => {
    expect(await popgate("setup", "--write")).toMatchObject({ code: 0 });
    const written = readFileSync(there(config), "utf8");
    expect((await popgate("setup", "--write")).stderr).toContain(`${config} says so already`);
    writeFileSync(there(config), written.replace('ttl = "30m"', 'ttl = "1h"'));
    const refused = await popgate("setup", "--write");
    expect(refused.code).toBe(73);
    expect(refused.stderr).toMatch(/would be lost:\npopgate: ttl = "1h"\n/);
    expect(await popgate("setup", "--write", "--force")).toMatchObject({ code: 0 });
    expect(readFileSync(there(config), "utf8")).toBe(written);
  });

  it("its lines for Postfix are right, and check proves the rest with the logins of the last day", async () => {
    expect(await popgate("withdraw")).toMatchObject({ code: 0 });
    expect((await popgate("check")).code).toBe(1);
    const { advice } = JSON.parse((await popgate("setup", "--json")).stdout);
    expect(advice).toHaveLength(1);
    const [line] = advice as [string];
    expect(await answer(inside("postconf", "-e", line))).toMatchObject({ code: 0 });
    // The real one runs beside that place, where the table has another path.
    const restrictions = line.split(" = ")[1]?.replace("/var/lib/popgate", lab.path("state"));
    const main = lab.path("postfix/etc/main.cf");
    writeFileSync(main, `${readFileSync(main, "utf8")}popgate_restrictions = ${restrictions}\n`);
    expect(await dovecot.visit("pop3", client)).toMatchObject({ ok: true });
    const first = await popgate("check");
    expect(first.stdout).toContain("1 login of 1 client and 1 user; 0 would have granted");
    expect(first.stdout).toMatch(
      /guard would have refused 1 client, 127\.0\.0\.2 first: the address is private/,
    );
    const lifted = readFileSync(there(config), "utf8").replace(
      "never = []",
      'allow = ["127.0.0.0/8"]',
    );
    writeFileSync(there(config), lifted);
    const second = await popgate("check");
    expect(second.stdout).toContain("1 would have granted, at most 1 client at a time");
    expect(second.stdout).not.toMatch(/^ {2}todo/m);
    expect(second.code).toBe(0);
    expect((await popgate("setup")).stderr).toMatch(/main\.cf asks the table already/);
  });

  it("what it proposed works", async () => {
    await lab.start(postfix);
    expect((await offer({ port: door, client })).code).toBe(554);
    daemon = new Child(inside(process.execPath, program, "run"));
    await daemon.line(/^ready/);
    expect(await dovecot.visit("imap", client)).toMatchObject({ ok: true });
    await until("the door to open", async () => (await offer({ port: door, client })).code === 250);
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toMatchObject({ code: 0 });
    expect((await offer({ port: door, client })).code).toBe(554);
  });
});
