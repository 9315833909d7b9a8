/** popgate -> OpenSMTPD: what a table in smtpd's memory and one in a database need to be seen. */

import { appendFileSync, chmodSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../src/client.ts";
import { createMap } from "../../src/maps/index.ts";
import { MapWriter } from "../../src/maps/writer.ts";
import { run } from "../../src/run.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Opensmtpd } from "../lab/opensmtpd.ts";
import { Popgate } from "../lab/popgate.ts";
import { offer } from "../lab/smtp.ts";
import { until } from "../lab/wait.ts";

const client = "127.0.0.2";

describe.skipIf(lacks("root", "namespaces", "opensmtpd"))("a private OpenSMTPD", () => {
  let lab: Lab;
  let popgate: Popgate;
  let smtpd: Opensmtpd;
  const doors = { file: 0, db: 0 };

  /** Whether a door lets this client pass; anything but yes and no is an error. */
  const passes = async (door: keyof typeof doors, from = client): Promise<boolean> => {
    const { code, text } = await offer({ port: doors[door], client: from });
    if (code !== 250 && code !== 550) throw new Error(`${code} ${text}`);
    return code === 250;
  };
  const login = (from: string): void => {
    const stamp = new Date().toISOString();
    appendFileSync(
      lab.path("mail.log"),
      `${stamp} mx dovecot: pop3-login: Login: user=<alice>, method=PLAIN, rip=${from}, lip=192.0.2.1, mpid=1, session=<a>\n`,
    );
  };
  const end = async (): Promise<void> => {
    popgate.signal("SIGTERM");
    expect(await popgate.ended).toEqual({ code: 0, signal: null });
  };

  beforeAll(async () => {
    lab = await Lab.open();
    popgate = new Popgate(lab);
    await lab.folder("maps");
    await lab.file("mail.log", "");
    doors.file = await lab.port();
    doors.db = await lab.port();
    smtpd = new Opensmtpd(lab, [
      { port: doors.file, name: "relay", table: `file:${lab.path("maps", "file")}` },
      { port: doors.db, name: "second", table: `db:${lab.path("maps", "db")}.db` },
    ]);
    await smtpd.prepare();
    await popgate.configure({
      ttl: "10m",
      source: [{ path: lab.path("mail.log") }],
      map: [
        {
          mta: "opensmtpd",
          table: `file:${lab.path("maps", "file")}`,
          name: "relay",
          tool: smtpd.tools.smtpctl,
        },
        {
          mta: "opensmtpd",
          table: `db:${lab.path("maps", "db")}`,
          tool: smtpd.tools.makemap,
        },
      ],
    });
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(popgate.said(), smtpd.said());
  });
  afterAll(async () => {
    await popgate?.stop();
    await lab?.close();
  });

  it("need not run for popgate to be ready, nor to end; it reads the table when it starts", async () => {
    expect(await popgate.command("withdraw")).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^2 tables are empty$/m),
    });
    login(client);
    await lab.start(popgate);
    await popgate.told(/^warning: nobody reads the table now .*smtpd doesn't seem to be running/);
    await lab.start(smtpd);
    expect(await passes("file")).toBe(true);
    expect(await passes("db")).toBe(true);
    expect(await passes("file", "127.0.0.3")).toBe(false);
    await popgate.told(/^the table is read/);
    await smtpd.end();
    await end();
    await smtpd.start();
    expect(await passes("file")).toBe(false);
    expect(await passes("db")).toBe(false);
  });

  it("has read a former version while popgate could not tell it: it is told once it can be", async () => {
    // What was there when it started, as if popgate's own came a moment later.
    await smtpd.end();
    const file = lab.path("maps", "file");
    await popgate.start();
    await popgate.told(/^warning: nobody reads the table now/);
    writeFileSync(`${file}.old`, "# @list\n127.0.0.66\n");
    writeFileSync(`${file}.now`, "");
    renameSync(file, `${file}.now`);
    renameSync(`${file}.old`, file);
    await smtpd.start();
    renameSync(`${file}.now`, file);
    expect(await passes("file", "127.0.0.66")).toBe(true);
    await until("the word that it changed", async () => !(await passes("file", "127.0.0.66")));
    expect(await passes("file")).toBe(true);
    await end();
    expect(await passes("file")).toBe(false);
  });

  it("goes on with the old table if it cannot read the new one: popgate tries again, and tells", async () => {
    const maps = lab.path("maps");
    await popgate.start();
    expect(await passes("file")).toBe(true);
    chmodSync(maps, 0o700);
    const told = popgate.lines.length;
    login("127.0.0.4");
    await popgate.told(/^error: map not written .*command failed: smtpd has no table/, told);
    chmodSync(maps, 0o755);
    await popgate.told(/^map is written again/, told);
    expect(await passes("file", "127.0.0.4")).toBe(true);

    chmodSync(maps, 0o700);
    popgate.signal("SIGTERM");
    expect(await popgate.ended).toEqual({ code: 75, signal: null });
    expect(await passes("file")).toBe(true);
    chmodSync(maps, 0o755);
    expect(await popgate.command("withdraw")).toMatchObject({ code: 0 });
    expect(await passes("file")).toBe(false);
  });

  it("sees every version of a database, those that follow within a second, too", async () => {
    const table = `db:${lab.path("maps", "db")}`;
    const map = createMap({ mta: "opensmtpd", table, tool: smtpd.tools.makemap });
    const silent = { info() {}, warning() {}, error() {} };
    const writer = new MapWriter({ map, run, log: silent });
    for (let round = 0; round < 5; round++) {
      await writer.write([client as Client]);
      expect(await passes("db")).toBe(true);
      await writer.write([]);
      expect(await passes("db")).toBe(false);
    }
  });
});
