/** The same as a user without privileges; and what only such a user meets: permission refused, and given. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

/** `nobody` of every Linux. */
const unprivileged = 65_534;

/** The privileges that this process had, and its directory for temporary files. */
let before: { readonly uid: number; readonly gid: number; readonly tmp: string | undefined };

beforeAll(() => {
  before = {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    tmp: process.env["TMPDIR"],
  };
  if (before.uid !== 0) return;
  const own = fs.mkdtempSync(join(tmpdir(), "popgate-nobody-"));
  fs.chownSync(own, unprivileged, unprivileged);
  process.env["TMPDIR"] = own;
  process.setegid?.(unprivileged);
  process.seteuid?.(unprivileged);
});

afterAll(() => {
  if (before.uid !== 0) return;
  process.seteuid?.(before.uid);
  process.setegid?.(before.gid);
  fs.rmSync(tmpdir(), { recursive: true });
  process.env["TMPDIR"] = before.tmp;
});

describe.each(["file", "truncation", "name", "trouble", "resume"])("%s", async (name) => {
  await import(`./${name}.test.ts`);
});

describe("permission", () => {
  let log: LogDirectory;
  let followed: Followed;
  let writer: number;

  beforeEach(() => {
    expect(process.geteuid?.()).not.toBe(0);
    // Its directory can be closed, and the log stays within reach of whoever has that open.
    log = new LogDirectory("log/mail.log");
    fs.mkdirSync(dirname(log.path));
    writer = log.open();
    log.append(5, writer);
  });

  afterEach(async () => {
    fs.chmodSync(log.directory, 0o700);
    fs.chmodSync(dirname(log.path), 0o700);
    await followed.source.stop();
    log.remove();
  });

  async function follow(options?: ConstructorParameters<typeof Followed>[1]): Promise<void> {
    followed = new Followed(log.path, options);
    await followed.source.start();
  }

  /** All came out once it was allowed, it was told once when it was not, and nothing was lost. */
  async function allowed(): Promise<void> {
    await until("all lines", () => followed.lines.length >= log.written.length).catch(
      () => undefined,
    );
    expect(followed.texts.toSorted()).toEqual(log.written.toSorted());
    await until("it to be over", () => followed.told.at(-1) === "info following");
    expect(followed.told.filter((one) => one.startsWith("warning"))).toEqual([
      "warning log unreadable",
    ]);
  }

  describe.each<[string, () => string]>([
    ["the log", () => log.path],
    ["its directory", () => dirname(log.path)],
    ["a directory above", () => log.directory],
  ])("to %s", (_, path) => {
    test("refused at the start, then given", async () => {
      const { mode } = fs.statSync(path());
      fs.chmodSync(path(), 0);
      await follow();
      expect(followed.told).toEqual(["warning log unreadable"]);
      log.append(5, writer);
      fs.chmodSync(path(), mode);
      log.append(5, writer);
      await allowed();
    });

    test("refused while the log is followed, then given: what is open is read on", async () => {
      await follow();
      const { mode } = fs.statSync(path());
      fs.chmodSync(path(), 0);
      for (let i = 0; i < 3; i++) {
        log.append(5, writer);
        await followed.all(log);
      }
      fs.chmodSync(path(), mode);
      log.append(5);
      log.rotate();
      log.append(5, writer);
      log.append(5);
      await followed.all(log);
      expect(followed.times("warning possible gap")).toBe(0);
      expect(followed.times("warning log unreadable")).toBeLessThanOrEqual(1);
    });
  });

  test("refused to the new file, while the old one is written on, then given", async () => {
    await follow();
    log.rotate();
    const young = log.open();
    fs.chmodSync(log.path, 0);
    log.append(5, writer);
    log.append(5, young);
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    log.append(5, writer);
    await until("the old file to be read on", () => followed.lines.length === 15);
    log.append(5, young);
    fs.chmodSync(log.path, 0o644);
    await allowed();
  });

  test("refused to a directory above, and three rotations before it is given back", async () => {
    await follow();
    const directory = fs.openSync(dirname(log.path), "r");
    const inside = (name: string) => `/proc/self/fd/${String(directory)}/${name}`;
    fs.chmodSync(log.directory, 0);
    await until("it to be told", () => followed.times("warning log unreadable") === 1);
    for (const age of [3, 2, 1]) {
      log.append(5, inside("mail.log"));
      fs.renameSync(inside("mail.log"), inside(`mail.log.${String(age)}`));
    }
    log.append(5, inside("mail.log"));
    fs.chmodSync(log.directory, 0o755);
    await allowed();
    fs.closeSync(directory);
  });

  test("refused to list the directory: told once, and what was rotated away comes when it is given back", async () => {
    let later = 0;
    await follow({ clock: { ...systemClock, now: () => systemClock.now() + later } });
    fs.chmodSync(dirname(log.path), 0o300);
    for (let i = 0; i < 2; i++) {
      log.append(5);
      log.rotate();
    }
    for (let i = 0; i < 2; i++) {
      log.append(5);
      await until("the new file", () => followed.texts.at(-1) === log.written.at(-1));
      log.rotate();
      later = 3_600_000;
    }
    expect(followed.texts).toEqual(log.written.toSpliced(10, 5));
    expect(followed.times("warning possible gap")).toBe(1);
    fs.chmodSync(dirname(log.path), 0o700);
    log.append(5);
    await until("all lines", () => followed.lines.length === log.written.length);
    expect(followed.texts.toSorted()).toEqual(log.written.toSorted());
    expect(followed.times("warning possible gap")).toBe(1);
  });

  test("refused to a file that was rotated away: what it holds is lost, and told once", async () => {
    await follow();
    for (let i = 0; i < 2; i++) {
      log.append(5);
      log.rotate();
    }
    fs.chmodSync(`${log.path}.1`, 0);
    for (let i = 0; i < 2; i++) {
      log.append(5);
      await until("the new file", () => followed.texts.at(-1) === log.written.at(-1));
      log.rotate();
    }
    expect(followed.texts).toEqual(log.written.toSpliced(10, 5));
    expect(followed.times("warning possible gap")).toBe(1);
  });
});
