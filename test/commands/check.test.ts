import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/commands/check.ts";
import { exit } from "../../src/errors.ts";
import { run, type Outcome } from "../../src/run.ts";
import { GatheringOutside } from "../outside.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(homedir(), ".popgate-check-"));
  mkdirSync(join(directory, "state"));
  writeFileSync(join(directory, "mail.log"), "");
  writeFileSync(join(directory, "relay"), "");
  writeFileSync(join(directory, "relay.db"), "");
});

afterEach(() => rmSync(directory, { recursive: true }));

interface Host {
  readonly relay?: string;
  readonly recipient?: string;
  readonly client?: string;
  readonly services?: string;
  readonly postconf?: boolean;
}

/** Checks a Postfix map on a host whose postconf answers so, and whose postmap works. */
async function checkPostfix(host: Host, extra = ""): Promise<{ code: number; map: string[] }> {
  const config = join(directory, "popgate.toml");
  writeFileSync(
    config,
    `state_dir = "${directory}/state"\n[[source]]\npath = "${directory}/mail.log"\n[[map]]\nmta = "postfix"\ntable = "hash:${directory}/relay"\n${extra}`,
  );
  const outside = new GatheringOutside();
  const answers: Readonly<Record<string, string>> = {
    "-xh smtpd_relay_restrictions": host.relay ?? "",
    "-xh smtpd_recipient_restrictions": host.recipient ?? "",
    "-xh smtpd_client_restrictions": host.client ?? "",
    "-Px": host.services ?? "",
  };
  const outcome = (parts: Partial<Outcome>): Outcome => ({
    ok: true,
    missing: false,
    stdout: "",
    stderr: "",
    reason: "",
    ...parts,
  });
  outside.run = (argv, options) => {
    const [program, ...rest] = argv;
    if (program === "postmap") {
      writeFileSync(`${(rest.at(-1) ?? "").replace("hash:", "")}.db`, "index");
      return Promise.resolve(outcome({}));
    }
    if (program !== "postconf") return run(argv, options);
    if (host.postconf === false) return Promise.resolve(outcome({ ok: false, missing: true }));
    return Promise.resolve(outcome({ stdout: answers[rest.join(" ")] ?? "" }));
  };
  const code = await check({ config }, outside);
  const [, map = ""] = outside.printed.split(`map hash:${directory}/relay (postfix)\n`);
  return {
    code,
    map: map
      .replaceAll(directory, "")
      .trimEnd()
      .split("\n")
      .map((line) => line.trim()),
  };
}

const ask = () => `permit_auth_destination, check_client_access hash:${directory}/relay`;
const right = () => `permit_mynetworks, ${ask()}, reject_unauth_destination`;
const advice = [
  "note  main.cf needs, in this order:",
  "note      smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, permit_auth_destination,",
  "note          check_client_access hash:/relay, reject_unauth_destination",
];

test.each<[mode: number, finding: string, prepare?: (path: string) => void]>([
  [0o755, "fine  its directory is ours, and nothing else has its name"],
  [0o777, "todo  others can write to /log (mode 0777); chmod go-w it, or use a directory of"],
  [0o700, "todo  /log/audit.log is a link; name the", (path) => symlinkSync("/etc/passwd", path)],
  [0o700, "todo  /log/audit.log: illegal operation on a directory", (path) => mkdirSync(path)],
  [0o700, "todo  /log/audit.log is not a file", (path) => execFileSync("mkfifo", [path])],
])("an audit in a directory of mode %i: %s", async (mode, finding, prepare = () => {}) => {
  mkdirSync(join(directory, "log"));
  chmodSync(join(directory, "log"), mode);
  prepare(join(directory, "log/audit.log"));
  const config = join(directory, "popgate.toml");
  writeFileSync(
    config,
    `audit = "${directory}/log/audit.log"\nstate_dir = "${directory}/state"\n[[source]]\npath = "${directory}/mail.log"\n[[map]]\nmta = "exim"\ntable = "${directory}/relay"\n`,
  );
  const outside = new GatheringOutside();
  await check({ config }, outside);
  expect(outside.printed.replaceAll(directory, "")).toContain(
    `\naudit /log/audit.log\n  ${finding}`,
  );
});

describe("Postfix", () => {
  test("asks the table in the right place", async () => {
    expect(await checkPostfix({ relay: right() })).toEqual({
      code: exit.ok,
      map: ["fine  it exists", "fine  Postfix asks it, in the right place"],
    });
  });

  test("does not ask it", async () => {
    expect(await checkPostfix({ relay: "permit_mynetworks, defer_unauth_destination" })).toEqual({
      code: exit.no,
      map: [
        "fine  it exists",
        "todo  smtpd_relay_restrictions: check_client_access hash:/relay is missing",
        ...advice,
      ],
    });
  });

  test("refuses relaying in the recipient restrictions as well", async () => {
    const { code, map } = await checkPostfix({
      relay: right(),
      recipient: "permit_mynetworks, reject_unauth_destination",
    });
    expect(code).toBe(exit.no);
    expect(map).toContain(
      "todo  smtpd_recipient_restrictions: check_client_access hash:/relay is missing",
    );
  });

  test("is told otherwise by master.cf, and asks where it does not matter", async () => {
    const { code, map } = await checkPostfix({
      relay: right(),
      client: ask(),
      services:
        "submission/inet/smtpd_relay_restrictions = permit_sasl_authenticated,reject\nsmtps/inet/smtpd_recipient_restrictions = reject",
    });
    expect(code).toBe(exit.ok);
    expect(map).toEqual([
      "fine  it exists",
      "fine  Postfix asks it, in the right place",
      "note  smtpd_client_restrictions asks it too; that lets nobody relay",
      "note  master.cf: submission/inet/smtpd_relay_restrictions: check_client_access hash:/relay is missing",
      "note  master.cf: smtps/inet/smtpd_recipient_restrictions: check_client_access hash:/relay is missing",
      ...advice,
    ]);
  });

  test("cannot be asked", async () => {
    const { code, map } = await checkPostfix({ postconf: false });
    expect(code).toBe(exit.no);
    expect(map[1]).toBe("todo  postconf is not on PATH: nobody asks this table here");
  });
});

test.each<[string, number, string]>([
  ["mail*", 0o755, "fine  {}/mail.log: readable"],
  ["other*", 0o755, "todo  no log fits it yet; popgate would wait for one"],
  [
    "mail*",
    0o1777,
    "todo  anybody can create a log in {}, and so forge logins; popgate would wait",
  ],
  ["gone/*.log", 0o755, "todo  no such file or directory (ENOENT); popgate would wait"],
])("the logs that fit %s (mode %i): %s", async (pattern, mode, finding) => {
  const outside = new GatheringOutside();
  const log = join(directory, "log");
  mkdirSync(log);
  chmodSync(log, mode);
  writeFileSync(join(log, "mail.log"), "");
  const path = join(log, pattern);
  const config = join(directory, "popgate.toml");
  writeFileSync(
    config,
    `state_dir = "${directory}/state"\n[[source]]\npath = "${path}"\n[[map]]\nmta = "exim"\ntable = "${directory}/list"\n`,
  );
  await check({ config }, outside);
  const [, told = ""] = outside.printed.split(`source ${path}\n  `);
  expect(told.split("\n")[0]).toBe(finding.replace("{}", log));
});

test("a table that popgate did not write is not touched", async () => {
  writeFileSync(join(directory, "relay"), "192.0.2.0/24 OK\n");
  const { code, map } = await checkPostfix({ relay: right() });
  expect(code).toBe(exit.no);
  expect(map[0]).toMatch(/^todo {2}map hash:\/relay: \/relay was not written by popgate/);
});

describe("OpenSMTPD", () => {
  /** Checks a table of it on a host whose smtpctl ends so, and gives what is found. */
  async function checkSmtpd(table: string, smtpctl: Partial<Outcome>): Promise<string[]> {
    const config = join(directory, "popgate.toml");
    const source = `[[source]]\npath = "${directory}/mail.log"\n`;
    const map = `[[map]]\nmta = "opensmtpd"\ntable = "${table}:${directory}/relay"\n`;
    writeFileSync(config, `state_dir = "${directory}/state"\n${source}${map}`);
    const outside = new GatheringOutside();
    const fine = { ok: true, missing: false, stdout: "", stderr: "", reason: "" };
    outside.run = (argv, options) => {
      if (argv[0] === "smtpctl") return Promise.resolve({ ...fine, ...smtpctl });
      if (argv[0] !== "makemap") return run(argv, options);
      writeFileSync(argv[4] ?? "", "index");
      return Promise.resolve(fine);
    };
    await check({ config }, outside);
    const [, told = ""] = outside.printed.split(" (opensmtpd)\n");
    return told.split("\n").map((line) => line.trim());
  }

  test.each<[string, Partial<Outcome>, RegExp]>([
    ["reads it", {}, /^fine {2}smtpd reads it$/],
    [
      "does not know it",
      { ok: false, stdout: "command failed" },
      /^todo {2}smtpctl: command failed: smtpd has no table "popgate", or cannot read .*relay/,
    ],
    ["does not run", { ok: false, stderr: "smtpctl: smtpd doesn't seem to be running" }, /^note/],
  ])("%s", async (_, smtpctl, says) => {
    const [exists, found, ...advice] = await checkSmtpd("file", smtpctl);
    expect(exists).toBe("fine  it exists");
    expect(found).toMatch(says);
    expect(advice.includes("note  smtpd.conf needs, and smtpd a restart then:")).toBe(
      smtpctl.ok === false,
    );
  });

  test("wants root", async () => {
    const denied = { ok: false, stderr: "smtpctl: need root privileges" };
    const [only] = await checkSmtpd("file", denied);
    expect(only).toMatch(/^todo {2}map file:.*need root privileges: run popgate as root, or use/);
  });

  test("need not be told of a database", async () => {
    const [exists, found] = await checkSmtpd("db", { missing: true });
    expect(exists).toBe("fine  it exists");
    // What the host has there, if anything, does not name this table.
    expect(found).toMatch(/^(?:todo|note) .*smtpd\.conf/);
  });
});
