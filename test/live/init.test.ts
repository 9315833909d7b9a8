/** The init script for hosts without systemd: start, reload, stop, and the table is empty whatever happened in between. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, answer } from "../lab/child.ts";
import { Lab, project } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { program } from "../lab/popgate.ts";
import { lives } from "../lab/process.ts";
import { until } from "../lab/wait.ts";

describe.skipIf(lacks("root", "start-stop-daemon"))("the init script", () => {
  let lab: Lab;
  const told = () => (existsSync(lab.path("log")) ? readFileSync(lab.path("log"), "utf8") : "");
  const clients = () => readFileSync(lab.path("relay"), "utf8").match(/^\d.*$/gm) ?? [];
  const pid = () => Number(readFileSync(lab.path("pid"), "utf8"));
  const script = (verb: string): Promise<Answer> =>
    answer(["sh", `${project}/examples/popgate.sysv`, verb], {
      environment: {
        POPGATE: lab.path("popgate"),
        POPGATE_USER: "root",
        POPGATE_PIDFILE: lab.path("pid"),
        POPGATE_LOG: lab.path("log"),
      },
    });
  const enter = async () => {
    const at = new Date().toISOString();
    const line = `${at} mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7, session=<a>\n`;
    await lab.file("mail.log", `${readFileSync(lab.path("mail.log"), "utf8")}${line}`);
    await until("a grant", () => clients().length === 1);
  };

  beforeAll(async () => {
    lab = await Lab.open();
    const config = await lab.file(
      "popgate.toml",
      `state_dir = "${lab.path("state")}"\n[[source]]\npath = "${await lab.file("mail.log", "")}"\n[[map]]\nmta = "exim"\ntable = "${lab.path("relay")}"\n`,
    );
    const command = `#!/bin/sh\nexec ${process.execPath} ${program} "$@" --config ${config}\n`;
    await lab.file("popgate", command, 0o755);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(told());
  });
  afterAll(async () => {
    if (existsSync(lab.path("pid"))) await script("stop");
    await lab.close();
  });

  it("starts it, tells how it is, and has it reload", async () => {
    expect((await script("status")).code).not.toBe(0);
    expect(await script("start")).toMatchObject({ code: 0, stderr: "" });
    await until("ready", () => /^ready/m.test(told()));
    expect(await script("start")).toMatchObject({ code: 0 });
    expect(await script("status")).toMatchObject({ code: 0 });
    await enter();
    expect(await script("reload")).toMatchObject({ code: 0 });
    await until("a reload", () => /^reloaded/m.test(told()));
  });

  it("stops it, and the table is empty", async () => {
    const daemon = pid();
    expect(await script("stop")).toMatchObject({ code: 0 });
    expect(lives(daemon)).toBe(false);
    expect(clients()).toEqual([]);
  });

  it("empties the table after a crash, too", async () => {
    expect(await script("start")).toMatchObject({ code: 0 });
    await until(
      "the grant to be back",
      () => existsSync(lab.path("pid")) && clients().length === 1,
    );
    const daemon = pid();
    process.kill(daemon, "SIGKILL");
    await until("its end", () => !lives(daemon));
    expect(clients()).toHaveLength(1);
    await script("stop");
    expect(clients()).toEqual([]);
  });
});
