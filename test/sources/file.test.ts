/** A log is followed through everything that writers and rotations do to it. */
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../until.ts";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(async () => {
  log = new LogDirectory();
  log.append(3);
  followed = new Followed(log.path, { clock: hurried });
  await followed.source.start();
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

/** Gives the loop a few turns, so that what was written is read before something else happens. */
async function seen(): Promise<void> {
  await until("what was written", () => followed.lines.length >= log.written.length);
}

test("what was written before the start is not live, what comes later is", async () => {
  expect(followed.texts).toEqual(log.written);
  log.append(2);
  await followed.all(log);
  expect(followed.lines.map(({ live }) => live)).toEqual([false, false, false, true, true]);
  expect(followed.lines.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  expect(followed.lines[0]).toMatchObject({ source: log.path, offset: 0 });
});

describe("writing", () => {
  test("bursts of 1000 lines", async () => {
    const writer = log.open();
    for (let burst = 0; burst < 5; burst++) {
      log.append(1000, writer);
      await seen();
    }
    await followed.all(log);
  });

  test("lone pairs, then silence", async () => {
    for (let pair = 0; pair < 5; pair++) {
      log.append();
      await seen();
      log.append();
      await seen();
    }
    await followed.all(log);
  });

  test("a line in several writes, cut inside a character and between CR and LF", async () => {
    for (let i = 0; i < 20; i++) {
      const bytes = Buffer.from(log.line("€€€").replace("\n", "\r\n"));
      const cuts = [0, 4 + (i % 5), bytes.length - 1, bytes.length];
      for (let part = 1; part < cuts.length; part++) {
        log.raw(bytes.subarray(cuts[part - 1], cuts[part]));
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      await seen();
    }
    expect(followed.texts.map((text) => Buffer.from(text, "latin1").toString())).toEqual(
      log.written,
    );
  });

  test("a line is not delivered before its line feed is there", async () => {
    log.raw(`${log.line()}1 half #`);
    await seen();
    expect(followed.texts).toEqual(log.written);
    log.written.push("1 half # and the other half");
    log.raw(" and the other half\n");
    await followed.all(log);
  });

  test("NUL, CRLF and bytes that are no UTF-8", async () => {
    log.raw("a\0b #\r\n\r\n\0\0\0c #\n\xff\xfe # \xe2\x82\n".replaceAll("ÿ", "ÿ"));
    log.written.push("a\0b #", "c #");
    await until("the lines", () => followed.lines.length === 6);
    expect(followed.texts.slice(3, 5)).toEqual(["a\0b #", "c #"]);
    expect(followed.texts[5]).toMatch(/ # /);
  });

  test("a line of 1 MB is dropped, and told once; the next one is good", async () => {
    log.raw(`${"x#".repeat(500_000)}\n`);
    log.append();
    await followed.all(log);
    log.raw(`${"x#".repeat(500_000)}\n`);
    log.append();
    await followed.all(log);
    expect(followed.times("warning line too long")).toBe(1);
  });

  test("only lines that hold a marker come out", async () => {
    log.raw("nothing to see\n");
    log.append();
    await followed.all(log);
    expect(followed.lines.at(-1)?.number).toBe(5);
  });
});

describe("rename and create", () => {
  test("with late writes to the old file", async () => {
    for (let rotation = 0; rotation < 4; rotation++) {
      const writer = log.open();
      log.append(20, writer);
      log.rotate();
      log.append(20, writer);
      await seen();
      log.append(20, writer);
      await seen();
    }
    await followed.all(log);
    expect(followed.times("info rotated")).toBe(4);
  });

  test("old and new file written together", async () => {
    const old = log.open();
    log.rotate();
    const young = log.open();
    for (let i = 0; i < 50; i++) {
      log.append(2, i % 2 === 0 ? old : young);
      await seen();
    }
    await followed.all(log);
  });

  test("the second half of a line lands in the old file", async () => {
    const old = log.open();
    const bytes = log.line("half and half");
    log.raw(bytes.slice(0, 6), old);
    log.rotate();
    log.raw(bytes.slice(6), old);
    log.append(2);
    await followed.all(log);
  });

  test("the new file comes late", async () => {
    const writer = log.open();
    log.append(5, writer);
    log.shift();
    log.append(5, writer);
    await seen();
    await until("it to be told", () => followed.times("warning log missing") === 1);
    log.append(5, writer);
    await seen();
    log.append(5);
    await followed.all(log);
    expect(followed.told).toEqual([
      "info following",
      "info caught up",
      "warning log missing",
      "info rotated",
      "info following",
    ]);
  });

  test("three rotations at once", async () => {
    for (let round = 0; round < 3; round++) {
      for (let rotation = 0; rotation < 3; rotation++) {
        log.append(20);
        log.rotate();
      }
      log.append(20);
      await seen();
    }
    await followed.all(log);
  });

  test("three rotations at once, each compressed at once", async () => {
    for (let rotation = 0; rotation < 3; rotation++) {
      log.append(20);
      log.rotate();
      log.gzip(`${log.path}.1`);
    }
    log.append(20);
    await followed.all(log);
  });

  test("the rotated file is removed at once", async () => {
    const old = log.open();
    log.append(20, old);
    log.rotate();
    fs.rmSync(`${log.path}.1`);
    log.append(20, old);
    await seen();
    log.append(20, old);
    await seen();
    log.append(20);
    await followed.all(log);
  });

  test("two rotations at once, and the followed file is gone", async () => {
    log.append(20);
    fs.rmSync(log.path);
    log.append(20);
    log.rotate();
    log.append(20);
    await followed.all(log);
  });

  test("names with a date, several at once", async () => {
    for (let day = 1; day < 7; day++) {
      log.append(10);
      fs.renameSync(log.path, `${log.path}-2026010${String(day)}`);
      log.append(10);
      if (day % 3 === 0) await seen();
    }
    await followed.all(log);
  });

  test("files with names that are only alike are left alone", async () => {
    for (const name of [
      "mail.log2",
      "mail.login",
      "mail.log.bak",
      "mail.log.1.swp",
      "mail.log-old",
    ])
      log.raw("not mine #\n", join(log.directory, name));
    log.append(5);
    log.rotate();
    log.append(5);
    await followed.all(log);
  });

  test("old generations are compressed, and not read again", async () => {
    await followed.source.stop();
    for (const age of [3, 2]) {
      log.raw(`of old ${String(age)} #\n`, `${log.path}.${String(age)}`);
      fs.utimesSync(`${log.path}.${String(age)}`, 1000, 2000);
    }
    followed = new Followed(log.path);
    await followed.source.start();
    for (const age of [3, 2]) log.gzip(`${log.path}.${String(age)}`);
    log.append(5);
    log.rotate();
    log.append(5);
    await followed.all(log);
  });

  test("by a hard link", async () => {
    fs.linkSync(log.path, `${log.path}.1`);
    log.append(5);
    fs.unlinkSync(log.path);
    log.append(5);
    await followed.all(log);
  });

  test("100 rotations leave neither descriptors nor watches behind", async () => {
    const before = watches();
    for (let rotation = 0; rotation < 100; rotation++) {
      log.append(2);
      log.rotate(3);
      log.append(1);
      await seen();
    }
    await followed.all(log);
    await until("all but those that linger to be closed", () => log.descriptors() <= 9);
    expect(watches()).toBeLessThanOrEqual(before + 8);
    await followed.source.stop();
    expect(log.descriptors()).toBe(0);
    await until("the watches to end", () => watches() < before);
  });
});

/** How many inotify watches this process has, see proc(5). */
function watches(): number {
  const infos = fs.readdirSync("/proc/self/fdinfo").map((descriptor) => {
    const path = `/proc/self/fdinfo/${descriptor}`;
    // The one of this listing is closed by now.
    return fs.existsSync(path) ? fs.readFileSync(path, "latin1") : "";
  });
  return infos.join("").match(/^inotify wd/gm)?.length ?? 0;
}
