/** The lab keeps its promise: when it is closed, no process, no mount and no file of it is left. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Courier } from "../lab/courier.ts";
import { Dovecot } from "../lab/dovecot.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { Sendmail } from "../lab/sendmail.ts";

const everything = [
  "root",
  "namespaces",
  "postfix",
  "dovecot",
  "rsyslog",
  "courier",
  "sendmail",
] as const;

/** The command lines of what runs now; a zombie has none. */
function processes(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1");
      } catch {
        return "";
      }
    });
}

describe.skipIf(lacks(...everything))("a lab with everything in it", () => {
  it("leaves nothing behind", async () => {
    const mounts = readFileSync("/proc/mounts", "utf8");
    const lab = await Lab.open();
    const table = `hash:${lab.path("relay")}`;
    const postfix = new Postfix(lab, [{ port: await lab.port(), restrictions: relayFor(table) }]);
    await postfix.postmap(table);
    await lab.start(postfix);
    const rsyslog = await lab.start(new Rsyslog(lab));
    const dovecot = await lab.start(new Dovecot(lab, { syslog: rsyslog }));
    const courier = await lab.start(new Courier(lab, rsyslog));
    await lab.start(new Sendmail(lab, { type: "hash", path: lab.path("popauth") }));
    expect(await dovecot.visit("imap", "127.0.0.2")).toMatchObject({ ok: true });
    expect(await courier.visit("pop3", "127.0.0.2")).toMatchObject({ ok: true });
    expect(processes().join()).toContain(lab.dir);

    await lab.close();

    expect(existsSync(lab.dir)).toBe(false);
    expect(readFileSync("/proc/mounts", "utf8")).toBe(mounts);
    const left = processes().filter((line) => line.includes(lab.dir));
    expect(left).toEqual([]);
    await lab.close();
  });
});
