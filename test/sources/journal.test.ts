/** The journal, with a journalctl that says what a test wants it to. The live tests have a real one. */
import { PassThrough } from "node:stream";
import { beforeEach, expect, test } from "vitest";
import { createLog } from "../../src/log.ts";
import type { Checkpoint } from "../../src/model.ts";
import { spawn } from "../../src/run.ts";
import type { Outcome, Spawn } from "../../src/run.ts";
import { JournalSource } from "../../src/sources/journal.ts";
import type { JournalSettings } from "../../src/sources/settings.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";

/** One journalctl that was started. */
interface Journalctl {
  readonly argv: readonly string[];
  readonly output: PassThrough;
  /** Lets it end, with a reason if it fails. */
  readonly end: (reason?: string) => void;
}

let clock: ManualClock;
let children: Journalctl[];
let lines: string[];
let told: string[];

beforeEach(() => {
  clock = new ManualClock();
  children = [];
  lines = [];
  told = [];
});

const scripted: Spawn = (argv) => {
  const output = new PassThrough();
  let end: Journalctl["end"] = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    end = (reason = "") => {
      output.end();
      resolve({ ok: reason === "", missing: false, stdout: "", stderr: "", reason });
    };
  });
  children.push({ argv, output, end });
  return Promise.resolve({ output, outcome, end });
};

function source(
  settings: Partial<JournalSettings> = {},
  checkpoint?: Checkpoint,
  how: Spawn = scripted,
): JournalSource {
  return new JournalSource({
    settings: { type: "journal", trust: { _UID: ["0"] }, ...settings },
    programs: ["dovecot"],
    spawn: how,
    clock,
    log: createLog(clock, (line) => void told.push(line.trimEnd())),
    since: 1_795_000_000_000,
    checkpoint,
    deliver: ({ source: name, bytes, prefix, offset, number, live }) => {
      if (bytes.includes("bad")) throw new Error("no");
      const where = `${String(number)} ${String(offset)} ${live ? "live" : "early"}`;
      lines.push(`${name} ${where} ${prefix?.program ?? ""}: ${bytes.toString()}`);
    },
  });
}

function entry(cursor: string, MESSAGE: unknown, more: object = {}): string {
  const stamp = "1795414925637431";
  const fields = { __CURSOR: cursor, __REALTIME_TIMESTAMP: stamp, SYSLOG_IDENTIFIER: "dovecot" };
  return `${JSON.stringify({ ...fields, _UID: "0", MESSAGE, ...more })}\n`;
}

/** The next journalctl that is started, and what it is asked for. */
async function started(): Promise<Journalctl & { readonly asked: string }> {
  await until("journalctl", () => children.length > 0);
  const [child] = children.splice(0);
  if (child === undefined) throw new Error("none");
  const asked = child.argv.filter((one) => /cursor|since|follow/.test(one)).join(" ");
  return { ...child, asked };
}

test("all that is there is read first, then what comes; each entry once", async () => {
  const journal = source();
  const start = journal.start();
  const all = await started();
  expect(all.asked).toBe("--since=@1795000000.000");
  all.output.write(entry("a", "one #") + entry("b", "two"));
  all.end();
  await start;
  expect(lines).toEqual([
    "journal 1 undefined early dovecot: one #",
    "journal 2 undefined early dovecot: two",
  ]);
  const more = await started();
  expect(more.asked).toBe("--cursor=b --follow");
  // It comes again, as the one to begin with.
  more.output.write(entry("b", "two") + entry("c", "three #").slice(0, 20));
  more.output.write(entry("c", "three #").slice(20));
  await until("a line", () => lines.length === 3);
  expect(lines[2]).toBe("journal 3 undefined live dovecot: three #");
  expect(journal.checkpoints()).toEqual({ journal: { cursor: "c" } });
  expect(journal.progress()).toMatchObject([
    { name: "journal", position: "c", lines: 3, lag_seconds: 0, gaps: 0 },
  ]);
  await journal.stop();
  expect(told).toEqual([
    "following source=journal",
    "caught up source=journal position=b lines=2 gaps=0",
    "stopped source=journal position=c lines=3 gaps=0",
  ]);
});

test("it goes on behind its checkpoint", async () => {
  const journal = source({ namespace: "mail" }, { cursor: "b" });
  expect(journal.checkpoints()).toEqual({ "journal:mail": { cursor: "b" } });
  const start = journal.start();
  const all = await started();
  expect(all.asked).toBe("--cursor=b");
  all.output.write(entry("b", "old #") + entry("c", "new #"));
  all.end();
  await start;
  expect(lines).toEqual(["journal:mail 1 undefined early dovecot: new #"]);
  await journal.stop();
  expect(told.filter((line) => line.includes("gap "))).toEqual([]);
});

test.each<[string, string, string]>([
  ["another entry comes first", entry("c", "new #"), "c"],
  ["nothing comes", "", "b"],
])("what was read last is gone: %s", async (_, text, position) => {
  const journal = source({}, { cursor: "b" });
  const start = journal.start();
  const all = await started();
  all.output.write(text);
  all.end();
  await start;
  const gap = "warning: possible gap source=journal reason=";
  expect(told[0]).toBe(`${gap}"what was read last is not in the journal any more"`);
  // While following, entries of an earlier boot may be left out: that is no gap.
  (await started()).output.write(entry("d", "newer #"));
  await until("a line", () => lines.at(-1)?.endsWith("newer #") === true);
  expect(told.filter((line) => line.startsWith(gap))).toHaveLength(1);
  expect(told).toContainEqual(
    expect.stringContaining(`caught up source=journal position=${position} `),
  );
  await journal.stop();
});

test("a journalctl that ends is started again from where it was, later and later", async () => {
  const journal = source();
  const start = journal.start();
  (await started()).end();
  await start;
  const live = await started();
  expect(live.asked).toBe("--since=@1795000000.000 --follow");
  live.output.write(entry("a", "one #"));
  await until("a line", () => lines.length === 1);
  live.end("ended by SIGKILL");
  await until("trouble", () => journal.progress()[0]?.trouble !== undefined);
  expect(journal.progress()).toMatchObject([{ trouble: "journal unreadable: ended by SIGKILL" }]);
  for (const pause of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    await until("a pause", () => clock.armed === 1);
    clock.advance(pause - 1);
    expect(children).toEqual([]);
    clock.advance(1);
    const again = await started();
    expect(again.asked).toBe("--cursor=a");
    again.end("exit status 1: no");
  }
  await until("a pause", () => clock.armed === 1);
  expect(journal.progress()[0]?.lag_seconds).toBe(91);
  clock.advance(30_000);
  const all = await started();
  all.output.write(entry("a", "one #") + entry("b", "two #"));
  all.end();
  const well = await started();
  expect(journal.progress()[0]).toMatchObject({ lag_seconds: 0, gaps: 0 });
  expect(journal.progress()[0]).not.toHaveProperty("trouble");
  expect(lines).toHaveLength(2);
  // One that has lasted begins anew.
  clock.advance(31_000);
  well.end();
  await until("trouble", () => journal.progress()[0]?.trouble !== undefined);
  await until("a pause", () => clock.armed === 1);
  clock.advance(250);
  (await started()).end();
  await journal.stop();
  expect(told.filter((line) => line.startsWith("warning"))).toEqual([
    'warning: journal unreadable source=journal reason="ended by SIGKILL"',
    'warning: journal unreadable source=journal reason="exit status 1: no"',
    'warning: journal unreadable source=journal reason="journalctl has ended"',
  ]);
});

test("none follows for long: what it did not see is read by the next one", async () => {
  const journal = source();
  const start = journal.start();
  const all = await started();
  all.output.write(entry("a", "one #"));
  all.end();
  await start;
  for (const [last, next] of [
    ["a", "b"],
    ["b", "c"],
  ] as const) {
    const deaf = await started();
    expect(deaf.asked).toBe(`--cursor=${last} --follow`);
    await until("its time to be measured", () => clock.armed === 1);
    clock.advance(60_000);
    const again = await started();
    expect(again.asked).toBe(`--cursor=${last}`);
    again.output.write(entry(last, "seen #") + entry(next, "unseen #"));
    again.end();
  }
  await until("lines", () => lines.length === 3);
  expect(lines[2]).toBe("journal 3 undefined live dovecot: unseen #");
  await journal.stop();
  expect(told).toEqual([
    "following source=journal",
    "caught up source=journal position=a lines=1 gaps=0",
    "stopped source=journal position=c lines=3 gaps=0",
  ]);
  expect(clock.armed).toBe(0);
});

test("an entry that journald moved to another file is the same", async () => {
  const same = "b=b0;m=1;t=2;x=3";
  const journal = source({}, { cursor: `s=run;i=7;${same}` });
  const start = journal.start();
  const all = await started();
  all.output.write(entry(`s=var;i=3;${same}`, "old #") + entry("s=var;i=4;b=b0;m=2;t=3;x=4", "#"));
  all.end();
  await start;
  expect(lines).toEqual(["journal 1 undefined early dovecot: #"]);
  await journal.stop();
  expect(told.filter((line) => line.includes("gap "))).toEqual([]);
});

test("a journal that cannot be read does not hold up the start, and there is no way to stop too early", async () => {
  const journal = source();
  const start = journal.start();
  (await started()).end("exit status 1: no permission");
  await start;
  await journal.stop();
  expect(told).toEqual([
    'warning: journal unreadable source=journal reason="exit status 1: no permission"',
  ]);

  const early = source();
  const started2 = early.start();
  await early.stop();
  await started2;
  const never = source();
  await never.stop();
  expect(lines).toEqual([]);
});

test("what its writer may not say, or is longer than it can be, counts for nothing and is told", async () => {
  const journal = source();
  const start = journal.start();
  const all = await started();
  all.output.write(
    entry("a", "forged #", { _UID: "65534" }) +
      entry("b", null) +
      entry("c", ["one #", "two #"]) +
      entry("d", "x".repeat(70_000)) +
      "nonsense #\n" +
      entry("e", "bad #") +
      entry("f", [35, 233]) +
      entry("g", "good #"),
  );
  all.end();
  await start;
  expect(lines.map((line) => line.split(": ")[1])).toEqual(["#\ufffd", "good #"]);
  expect(journal.progress()).toMatchObject([
    { lines: 6, dropped: { untrusted: 1, too_long: 3 }, position: "g" },
  ]);
  expect(told).toEqual([
    "warning: line untrusted source=journal dropped=1",
    "warning: line too long source=journal dropped=1",
    'error: journalctl wrote what is no entry source=journal reason="nonsense #"',
    "error: a line could not be dealt with source=journal reason=no",
    "following source=journal",
    "caught up source=journal position=g lines=6 too_long=3 untrusted=1 gaps=0",
  ]);
  await journal.stop();
});

test.each<[Partial<JournalSettings>, number]>([
  [{ trust: {} }, 1],
  [{ trust: { _SYSTEMD_UNIT: ["dovecot.service"] } }, 1],
  [{ trust: { _SYSTEMD_UNIT: ["courier.service"] } }, 0],
  [{ units: ["dovecot"] }, 1],
  [{ units: ["courier.service", "dovecot.service"] }, 1],
  [{ units: ["dove*"] }, 1],
  [{ units: ["courier"] }, 0],
])("what journald suppressed is a possible gap, if %j wants that unit", async (settings, gaps) => {
  const journal = source(settings);
  const start = journal.start();
  const all = await started();
  const dropped = {
    _TRANSPORT: "driver",
    SYSLOG_IDENTIFIER: "systemd-journald",
    MESSAGE_ID: "a596d6fe7bfa4994828e72309e95d61e",
    N_DROPPED: "47",
    OBJECT_SYSTEMD_UNIT: "dovecot.service",
  };
  all.output.write(entry("a", "Suppressed 47 messages from dovecot.service", dropped));
  all.end();
  await start;
  expect(journal.progress()).toMatchObject([{ lines: 0, gaps, position: "a" }]);
  const reason = '"journald suppressed 47 messages from dovecot.service"';
  expect(told.filter((line) => line.endsWith(` reason=${reason}`))).toHaveLength(gaps);
  await journal.stop();
});

test("a host without journalctl is told", async () => {
  const missing: Spawn = ([, ...rest]) => spawn(["popgate-no-such-program", ...rest]);
  const journal = source({}, undefined, missing);
  await journal.start();
  expect(told).toEqual(['warning: journal unreadable source=journal reason="no such program"']);
  await journal.stop();
});
