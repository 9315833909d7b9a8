import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acquireLock, isLocked, lockHolder } from "../src/lock.ts";
import { run, spawn } from "../src/run.ts";
import type { Child } from "../src/run.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-run-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("a program", () => {
  test("that ends well", async () => {
    expect(await run(["printf", "%s|", "a b", "$HOME;id"])).toMatchObject({
      ok: true,
      stdout: "a b|$HOME;id|",
      reason: "",
    });
  });

  test.each([
    ["fails", ["ls", "/nowhere"], /^exit status 2: ls: cannot access/],
    ["is missing", ["popgate-no-such-program"], /^no such program$/],
    ["may not be run", ["/etc/passwd"], /EACCES/],
    ["hangs", ["sleep", "60"], /^took longer than 0\.05 s and was killed$/],
    ["floods", ["yes"], /./],
  ] as const)("that %s", async (_, argv, reason) => {
    const outcome = await run(argv, argv[0] === "sleep" ? { deadline: 50 } : {});
    expect(outcome.ok).toBe(false);
    expect(outcome.missing).toBe(argv[0] === "popgate-no-such-program");
    expect(outcome.reason).toMatch(reason);
    expect(outcome.stdout.length).toBeLessThanOrEqual(1_000_000);
  });

  test("that leaves somebody behind who holds its output is not waited for", async () => {
    for (const script of ["sleep 5", "setsid sleep 5 & sleep 5", "sleep 5 & exit 0"]) {
      const outcome = await run(["sh", "-c", script], { deadline: 100 });
      expect(outcome).toMatchObject({ ok: false, reason: "took longer than 0.1 s and was killed" });
    }
  });

  test("reads what it is given, and nothing otherwise", async () => {
    const file = join(directory, "input");
    writeFileSync(file, "from a file");
    const input = openSync(file, "r");
    expect((await run(["cat"], { input })).stdout).toBe("from a file");
    closeSync(input);
    expect((await run(["cat"])).stdout).toBe("");
  });
});

async function outputOf(child: Child): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of child.output) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe("a program that goes on", () => {
  test.each([
    ["ends well", "echo a; echo b", "a\nb\n", /^$/],
    ["fails", "echo a; echo no >&2; exit 3", "a\n", /^exit status 3: no$/],
    ["is killed", "kill -9 $$", "", /^ended by SIGKILL$/],
    ["floods its errors", "exec yes >&2", "", /./],
    ["fails with a long text", "printf %01000d 1 >&2; exit 3", "", /^exit status 3: 0{300}$/],
  ])("and then %s", async (_, script, output, reason) => {
    const child = await spawn(["sh", "-c", script]);
    expect(await outputOf(child)).toBe(output);
    const outcome = await child.outcome;
    expect(outcome).toMatchObject({ ok: outcome.reason === "", missing: false, stdout: "" });
    expect(outcome.reason).toMatch(reason);
  });

  test("is missing", async () => {
    const child = await spawn(["popgate-no-such-program"]);
    expect(await outputOf(child)).toBe("");
    expect(await child.outcome).toMatchObject({ missing: true, reason: "no such program" });
    child.end();
  });

  test.each(["sleep 60", "sleep 60 & sleep 60", "setsid sleep 60 & echo; exec sleep 60"])(
    "ends when it is told to, whatever it started: %s",
    async (script) => {
      const child = await spawn(["sh", "-c", script]);
      const output = outputOf(child);
      child.end();
      child.end();
      await output;
      expect(await child.outcome).toMatchObject({ ok: false, reason: "ended by SIGTERM" });
    },
  );
});

test("no program can be started without descriptors; that is told, and passes", async () => {
  const limit = (most: string) =>
    execFileSync("prlimit", ["--pid", String(process.pid), `--nofile=${most}:`]);
  const before = /^Max open files +(\w+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  const opened: number[] = [];
  limit(String(readdirSync("/proc/self/fd").length + 40));
  try {
    for (;;) opened.push(openSync("/dev/null", "r"));
  } catch {
    // None is left.
  }
  for (let free = 0; free <= 16; free++) {
    const reason = /^(?:|could not be started: too few file descriptors are left \(EMFILE\))$/;
    expect((await run(["true"])).reason).toMatch(reason);
    const child = await spawn(["true"]);
    await outputOf(child);
    expect((await child.outcome).reason).toMatch(reason);
    closeSync(opened.pop() ?? -1);
  }
  for (const descriptor of opened) closeSync(descriptor);
  limit(before ?? "");
  expect(await run(["true"])).toMatchObject({ ok: true });
});

describe("a lock", () => {
  test("is held once, tells its holder, and is free when released", async () => {
    const file = join(directory, "lock");
    expect(await isLocked(file, run)).toBe(false);
    const lock = await acquireLock(file, run);
    expect(lock).toBeDefined();
    expect(lockHolder(file)).toBe(process.pid);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await acquireLock(file, run, 0)).toBeUndefined();
    expect(await isLocked(file, run)).toBe(true);
    lock?.release();
    expect(await isLocked(file, run)).toBe(false);
    const again = await acquireLock(file, run, 0);
    expect(again).toBeDefined();
    again?.release();
    expect(readFileSync(file, "latin1")).toBe(`${String(process.pid)}\n`);
  });

  test("waits for its holder", async () => {
    const file = join(directory, "busy");
    const lock = await acquireLock(file, run);
    const waiting = acquireLock(file, run, 10);
    lock?.release();
    (await waiting)?.release();
    expect(await isLocked(file, run)).toBe(false);
  });

  test("needs flock(1)", async () => {
    const missing = () => run(["popgate-no-such-program"]);
    await expect(acquireLock(join(directory, "x"), missing)).rejects.toThrow(/util-linux/);
  });
});
