/** The audit of the program itself: a full disk, and a rotation. */
import fs from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Lab } from "../lab/lab.ts";
import { withMounts } from "../lab/namespace.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { until } from "../lab/wait.ts";

const disk = 'mount -t tmpfs -o size=128k,mode=755 tmpfs "$1"; shift; exec "$@"';
const clients = 100;

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.open();
});

afterEach(() => lab.close());

describe.skipIf(lacks("root", "namespaces"))("the audit on a small disk", () => {
  it("holds no grant up when the disk is full, loses nothing, and is rotated", async () => {
    const directory = await lab.folder("audit");
    const popgate = new Popgate(lab, "popgate", (argv) => withMounts(disk, directory, argv));
    const log = await lab.file("mail.log", "");
    const table = lab.path("relay");
    await popgate.configure({
      ttl: "30m",
      audit: `${directory}/audit.log`,
      source: [{ path: log }],
      map: [{ mta: "exim", table }],
    });
    await lab.start(popgate);
    const audit = `/proc/${popgate.pid}/root${directory}/audit.log`;
    await until("the start in it", () => fs.readFileSync(audit, "utf8").includes("started"));
    const filler = fill(dirname(audit));
    for (let n = 0; n < clients; n++) login(log, n);
    await popgate.told(/^error: audit not written .*no space/);
    await until("all clients in the table", () => relaying(table) === clients);
    const { stdout, code } = await popgate.command("status", "--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { health: "unhealthy", reasons: [expect.stringMatching(/^audit .*no space/)] },
    ]);
    fs.rmSync(filler);
    await popgate.told(/^warning: audit written again .*lost=0/);
    expect((await popgate.command("status")).code).toBe(0);

    fs.renameSync(audit, `${audit}.1`);
    popgate.signal("SIGHUP");
    await until("the next file", () => fs.existsSync(audit));
    login(log, clients);
    await until("the next grant in it", () => fs.readFileSync(audit, "utf8").includes('"granted"'));
    const report = await popgate.command("report", "--csv", `${audit}.1`, audit);
    const users = report.stdout.split("\r\n").slice(1, -1);
    expect(users.map((row) => row.split(",")[0] ?? "").sort()).toEqual(
      Array.from({ length: clients + 1 }, (_, n) => `user${String(n)}`).sort(),
    );
    // What was torn by the full disk was written again, whole.
    expect(report.stderr).toMatch(/^(?:1 line torn, or none of an audit: not counted\n)?$/);
  });
});

function login(log: string, n: number): void {
  const at = new Date().toISOString();
  const line = `${at} mx dovecot: imap-login: Login: user=<user${String(n)}>, method=PLAIN, rip=127.9.9.${String(n)}, lip=198.51.100.1, mpid=7, session=<a>\n`;
  fs.appendFileSync(log, line);
}

function relaying(table: string): number {
  return fs.readFileSync(table, "utf8").match(/^\d.*$/gm)?.length ?? 0;
}

/** What is left is the rest of a page that the audit has already. */
function fill(directory: string): string {
  const filler = `${directory}/filler`;
  const { bavail, bsize } = fs.statfsSync(directory);
  fs.writeFileSync(filler, Buffer.alloc(bavail * bsize));
  return filler;
}
