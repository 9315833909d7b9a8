/** The units as they are shipped, under a real systemd: the circuit in its sandbox, and who closes the relay when. */

import { chmodSync, chownSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Dovecot } from "../lab/dovecot.ts";
import { Lab, project } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { program } from "../lab/popgate.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { offer } from "../lab/smtp.ts";
import { Systemd } from "../lab/systemd.ts";
import { until } from "../lab/wait.ts";

const lack = lacks(
  "root",
  "dovecot",
  "postfix",
  "namespaces",
  "user namespaces",
  "groups",
  "systemd",
);
const client = "127.0.0.2";
/** Debian's group for those who may read logs. */
const adm = 4;
const unit = "popgate.service";

describe.skipIf(lack)("under systemd", () => {
  let lab: Lab;
  let systemd: Systemd;
  let dovecot: Dovecot;
  let door: number;

  const example = (name: string) => readFileSync(join(project, "examples", name), "utf8");
  const told = () => readFileSync(lab.path("told", "popgate.log"), "utf8");
  const shut = async () => [550, 554].includes((await offer({ port: door, client })).code);
  const open = async () => (await offer({ port: door, client })).code === 250;
  const enter = async () => {
    expect(await dovecot.visit("pop3", client)).toMatchObject({ ok: true });
    await until("the door to open", open);
  };
  const active = () =>
    until("popgate to be active", async () => {
      const [state, status] = await Promise.all([
        systemd.property(unit, "ActiveState"),
        systemd.property(unit, "StatusText"),
      ]);
      return state === "active" && /^\d+ grants?$/.test(status);
    });
  /** Writes a file among systemd's, and has it read its units again. */
  const write = async (path: string, text: string) => {
    const script = 'mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"; systemctl daemon-reload';
    expect(await systemd.inside("sh", "-ec", script, "sh", path, text)).toMatchObject({ code: 0 });
  };
  /** Sections that stand behind those of the unit. */
  const amend = (text: string) => write(`/etc/systemd/system/${unit}.d/test.conf`, text);
  const done = async (...words: string[]) =>
    expect(await systemd.command(...words)).toMatchObject({ code: 0 });
  const config = (ttl: string) =>
    `ttl = "${ttl}"\n[[source]]\npath = "/var/log/lab/dovecot.log"\n[[map]]\nmta = "postfix"\ntable = "hash:/var/lib/popgate/relay"\n[guard]\nallow = ["127.0.0.0/8"]\n`;

  beforeAll(async () => {
    lab = await Lab.open();
    door = await lab.port();
    for (const folder of ["state", "told"]) await lab.folder(folder);
    const postfix = new Postfix(lab, [
      { port: door, restrictions: relayFor(`hash:${lab.path("state", "relay")}`) },
    ]);
    dovecot = await lab.start(new Dovecot(lab));
    chownSync(dovecot.log, 0, adm);
    chmodSync(dovecot.log, 0o640);
    systemd = new Systemd(lab, [
      [project, "/opt/popgate"],
      [dirname(dovecot.log), "/var/log/lab"],
      [lab.path("state"), "/var/lib/popgate"],
      [lab.path("told"), "/var/log/told"],
    ]);
    await lab.start(systemd);
    const command = program.replace(project, "/opt/popgate");
    await write("/usr/bin/popgate", `#!/bin/sh\nexec ${process.execPath} ${command} "$@"\n`);
    await systemd.inside("chmod", "755", "/usr/bin/popgate");
    for (const name of [unit, "popgate-withdraw.service", "popgate-withdraw.timer"]) {
      await write(`/etc/systemd/system/${name}`, example(name));
    }
    for (const [tool, name] of [
      ["systemd-sysusers", "popgate.sysusers"],
      ["systemd-tmpfiles", "popgate.tmpfiles"],
    ] as const) {
      await write(`/etc/${name}`, example(name));
      const create = tool === "systemd-tmpfiles" ? ["--create"] : [];
      const made = await systemd.inside(tool, ...create, `/etc/${name}`);
      expect(made, made.stderr).toMatchObject({ code: 0 });
    }
    await write("/etc/popgate/popgate.toml", config("1h"));
    // There is no journal here.
    await amend("[Service]\nStandardError=append:/var/log/told/popgate.log\n");
    await done("start", "popgate-withdraw.service");
    await lab.start(postfix);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(told());
  });
  afterAll(() => lab?.close());

  it("starts, and is ready", async () => {
    expect(await shut()).toBe(true);
    await done("start", unit);
    await active();
    expect(told()).not.toMatch(/warning|error/);
  });

  it.each([
    [unit, 1.3],
    ["popgate-withdraw.service", 1],
  ])("%s is exposed by %d at most", async (name, most) => {
    const { stdout } = await systemd.inside(
      "systemd-analyze",
      "security",
      "--offline=true",
      `/etc/systemd/system/${name}`,
    );
    const [, exposure = "unknown"] = /Overall exposure level for \S+: ([\d.]+) /.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(most);
  });

  it("has no privileges, and plays the story", async () => {
    await enter();
    const pid = await systemd.property(unit, "MainPID");
    const { stdout } = await systemd.inside("cat", `/proc/${pid}/status`);
    expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
    expect(stdout).toMatch(/^Seccomp:\t2$/m);
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
      expect(stdout).toMatch(new RegExp(`^Cap${set}:\t0+$`, "m"));
    }
    const [, user] = /^Uid:\t(\d+)/m.exec(stdout) ?? [];
    expect(Number(user)).toBeGreaterThan(0);
  });

  it("is told to reload, and is ready again", async () => {
    await write("/etc/popgate/popgate.toml", config("2h"));
    await done("reload", unit);
    await until("a reload", () => /^reloaded/m.test(told()));
    await active();
    await write("/etc/popgate/popgate.toml", "ttl = 1");
    await done("reload", unit);
    await until("a reload that is refused", () => /reload refused/.test(told()));
    await active();
    expect(await open()).toBe(true);
    await write("/etc/popgate/popgate.toml", config("1h"));
  });

  it("the second guard does nothing while it runs", async () => {
    await done("start", "popgate-withdraw.service");
    expect(await open()).toBe(true);
  });

  it("closes the relay when it is killed, and opens it again when it is back", async () => {
    const before = told().length;
    await done("kill", "--signal=KILL", unit);
    await until("the tables to be emptied", () => /^1 table is empty$/m.test(told().slice(before)));
    await until("a start", () => /^ready/m.test(told().slice(before)));
    await active();
    expect(await open()).toBe(true);
  });

  it("is killed by the watchdog when it hangs", async () => {
    await done("stop", unit);
    await amend(
      "[Service]\nStandardError=append:/var/log/told/popgate.log\nWatchdogSec=3\nRestartSec=1h\n",
    );
    await done("start", unit);
    await active();
    // Longer than the watchdog waits: it is fed.
    const fed = performance.now();
    await until("the watchdog to be content", () => performance.now() > fed + 4500);
    expect(await systemd.property(unit, "ActiveState")).toBe("active");
    expect(await open()).toBe(true);
    await done("kill", "--signal=STOP", "--kill-who=main", unit);
    await until(
      "the watchdog to bite",
      async () => (await systemd.property(unit, "Result")) === "watchdog",
    );
    await until("the door to shut", shut);
  });

  it("closes the relay by the second guard when the first one fails", async () => {
    await done("stop", unit);
    await amend(
      "[Service]\nStandardError=append:/var/log/told/popgate.log\nExecStopPost=\nRestart=no\n",
    );
    await done("start", unit);
    await active();
    await until("the door to open", open);
    await done("kill", "--signal=KILL", unit);
    await until("the door to shut", shut);
    expect(await systemd.property(unit, "ActiveState")).toBe("failed");
  });

  it("is given up when its config is wrong", async () => {
    await amend("[Service]\nStandardError=append:/var/log/told/popgate.log\n");
    await write("/etc/popgate/popgate.toml", "ttl = 1");
    expect((await systemd.command("start", unit)).code).not.toBe(0);
    expect(await systemd.property(unit, "ActiveState")).toBe("failed");
    expect(await systemd.property(unit, "NRestarts")).toBe("0");
    await write("/etc/popgate/popgate.toml", config("1h"));
  });

  it("closes the relay when it is stopped", async () => {
    await amend("[Service]\nStandardError=append:/var/log/told/popgate.log\n");
    await done("start", unit);
    await until("the door to open", open);
    await done("stop", unit);
    expect(await shut()).toBe(true);
    expect(await systemd.property(unit, "Result")).toBe("success");
  });
});
