/** What is said of a journal, from what a real journald has of a real Dovecot and of a logger that forges. */
import { expect, test } from "vitest";
import { defaultAdapters } from "../../src/adapters/index.ts";
import { inspectJournal } from "../../src/commands/check-journal.ts";
import type { Outcome, Run } from "../../src/run.ts";
import type { JournalSettings } from "../../src/sources/settings.ts";
import { judgedAt, linesOf } from "../adapters/judged.ts";
import { ManualClock } from "../manual-clock.ts";

const lines = linesOf("corpus/lab/dovecot-journald.json.log");
const tight = {
  _UID: ["0"],
  _COMM: ["log"],
  _EXE: ["/usr/lib/dovecot/log"],
  _TRANSPORT: ["syslog"],
};

async function inspect(
  answer: Partial<Outcome>,
  trust: JournalSettings["trust"] = { _UID: ["0"] },
): Promise<string[]> {
  const argvs: string[][] = [];
  const run: Run = (argv) => {
    argvs.push([...argv]);
    return Promise.resolve({
      ok: true,
      missing: false,
      stdout: "",
      stderr: "",
      reason: "",
      ...answer,
    });
  };
  const findings = await inspectJournal({ type: "journal", trust }, defaultAdapters, {
    clock: new ManualClock(judgedAt),
    run,
  });
  expect(argvs.map(([program]) => program)).toEqual(["journalctl"]);
  expect(argvs[0]).toContain("--lines=500");
  return findings.map(({ kind, text }) => `${kind} ${text}`);
}

const forged =
  "1 login lately that the config does not trust, written by _UID=65534 _COMM=logger _TRANSPORT=syslog";

test("the tightest demand that recent logins satisfy is proposed, and who forges is named", async () => {
  expect(await inspect({ stdout: lines.join("\n") })).toEqual([
    "fine readable; 19 logins lately that the config trusts",
    `note ${forged}`,
    'note the tightest demand that they satisfy: trust = { _UID = "0", _COMM = "log", _EXE = "/usr/lib/dovecot/log", _TRANSPORT = "syslog" }',
  ]);
});

test("it is not proposed again", async () => {
  expect(await inspect({ stdout: lines.join("\n") }, tight)).toEqual([
    "fine readable; 19 logins lately that the config trusts",
    `note ${forged}`,
    "fine its demand on the writers is as tight as these logins allow",
  ]);
});

test("a demand that no login satisfies is to be mended", async () => {
  const [only = ""] = await inspect({ stdout: lines.join("\n") }, { _COMM: ["dovecot"] });
  expect(only).toBe(
    "todo 20 logins lately that the config does not trust, written by " +
      "_UID=0 _COMM=log _EXE=/usr/lib/dovecot/log _TRANSPORT=syslog; _UID=65534 _COMM=logger _TRANSPORT=syslog",
  );
});

test.each<[Partial<Outcome>, string]>([
  [{ stdout: "" }, "note no login is among its last 0 entries of the last day"],
  [{ stdout: lines[0] ?? "" }, "note no login is among its last 1 entries of the last day"],
  [{ ok: false, missing: true }, "todo there is no journalctl on PATH"],
  [
    { ok: false, reason: "exit status 1: No permission" },
    "todo journalctl: exit status 1: No permission; popgate's user has to be in the group systemd-journal",
  ],
])("where journalctl answers %j", async (answer, expected) => {
  expect(await inspect(answer)).toEqual([expected]);
});
