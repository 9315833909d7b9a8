/** A log is followed through everything that writers and rotations do to it. */
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(async () => {
  log = new LogDirectory();
  log.append(3);
  followed = new Followed(log.path);
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

  test("a line in several writes, cut inside a character and before the line feed", async () => {
    for (let i = 0; i < 20; i++) {
      const bytes = Buffer.from(log.line("€€€"));
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

  test("100 rotations leave no descriptor behind", async () => {
    const count = () => fs.readdirSync("/proc/self/fd").length;
    const before = count();
    for (let rotation = 0; rotation < 100; rotation++) {
      log.append(2);
      log.rotate(3);
      log.append(1);
      await seen();
    }
    await followed.all(log);
    expect(count()).toBeLessThanOrEqual(before + 8);
    await followed.source.stop();
    expect(count()).toBeLessThan(before);
  });
});

describe("truncation", () => {
  test("copy and truncate, the writer quiet", async () => {
    for (let rotation = 0; rotation < 4; rotation++) {
      log.append(20);
      await seen();
      log.copyTruncate();
      await until("it to be told", () => followed.times("info truncated") === rotation + 1);
      log.append(20);
      await seen();
    }
    await followed.all(log);
    expect(followed.times("warning possible gap")).toBe(0);
  });

  test("copy and truncate, the last lines not yet read", async () => {
    for (let rotation = 0; rotation < 4; rotation++) {
      log.append(20);
      log.copyTruncate();
      log.append(30);
      await seen();
    }
    await followed.all(log);
  });

  test("copy and truncate twice at once", async () => {
    log.append(20);
    log.copyTruncate();
    log.append(20);
    log.copyTruncate();
    log.append(100);
    await followed.all(log);
  });

  test("copy and truncate right after the start of a new file", async () => {
    log.rotate();
    await until("the new file", () => followed.times("info rotated") === 1);
    log.append(20);
    log.copyTruncate();
    log.append(20);
    log.copyTruncate();
    log.append(20);
    await followed.all(log);
  });

  test("copied over an older copy", async () => {
    for (let rotation = 0; rotation < 4; rotation++) {
      log.append(20);
      if (rotation % 2 === 0) await seen();
      fs.copyFileSync(log.path, `${log.path}.1`);
      fs.truncateSync(log.path);
      log.append(10 + 20 * rotation);
      await seen();
    }
    await followed.all(log);
  });

  test("truncated and regrown past the old size in one go", async () => {
    for (let round = 0; round < 3; round++) {
      log.append(50);
      await seen();
      fs.truncateSync(log.path);
      log.append(200);
      await seen();
    }
    await followed.all(log);
    expect(followed.times("warning possible gap")).toBe(3);
  });

  test("a copy is made without truncating: nothing is read twice", async () => {
    log.append(20);
    fs.copyFileSync(log.path, `${log.path}-20261123`);
    await seen();
    log.append(20);
    await seen();
    fs.copyFileSync(log.path, `${log.path}-20261124`);
    log.append(20);
    fs.renameSync(log.path, `${log.path}-20261125`);
    log.append(20);
    await followed.all(log);
  });

  test("an empty log is filled, copied and truncated before anybody looks, then stays empty", async () => {
    log.rotate();
    await until("the new file", () => followed.times("info rotated") === 1);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    log.append(20);
    log.copyTruncate();
    await followed.all(log);
  });

  test("a hole is left by a writer without O_APPEND", async () => {
    const writer = fs.openSync(log.path, "r+");
    let at = fs.statSync(log.path).size;
    const write = () => (at += fs.writeSync(writer, log.line(), at));
    for (let i = 0; i < 2000; i++) write();
    await seen();
    fs.truncateSync(log.path);
    for (let i = 0; i < 10; i++) write();
    await followed.all(log);
    fs.closeSync(writer);
  });

  test("half a line is lost with the old content: what comes first may be the other half", async () => {
    log.raw(`${log.line()}1 forged by hal`);
    await seen();
    fs.truncateSync(log.path);
    log.raw("ves #\n");
    log.append(3);
    await followed.all(log);
  });
});

describe("the name", () => {
  test("unlinked while open, created late", async () => {
    const writer = log.open();
    fs.unlinkSync(log.path);
    log.append(20, writer);
    await seen();
    log.append(20, writer);
    log.append(20);
    await followed.all(log);
  });

  test("unlinked and created at once, again and again", async () => {
    for (let i = 0; i < 10; i++) {
      log.append(5);
      fs.unlinkSync(log.path);
      log.append(5);
      if (i % 2 === 0) await seen();
      else await until("the new file", () => followed.times("info rotated") > i);
    }
    await followed.all(log);
  });

  test("a directory in its place, then a log again", async () => {
    log.append();
    fs.renameSync(log.path, `${log.path}.1`);
    fs.mkdirSync(log.path);
    await until("it to be told", () => followed.times("warning log is not a file") === 1);
    fs.rmdirSync(log.path);
    log.append(5);
    await followed.all(log);
  });

  test("its directory is replaced, and rotations there are noticed", async () => {
    const writer = log.open();
    const aside = `${log.directory}-aside`;
    fs.renameSync(log.directory, aside);
    log.append(5, writer);
    await seen();
    fs.mkdirSync(log.directory);
    log.append(5);
    await seen();
    log.rotate();
    log.append(5);
    await followed.all(log);
    fs.rmSync(aside, { recursive: true });
  });

  test("it is moved away and back", async () => {
    fs.renameSync(log.path, `${log.path}.aside`);
    await until("it to be told", () => followed.times("warning log missing") === 1);
    fs.renameSync(`${log.path}.aside`, log.path);
    log.append(5);
    await followed.all(log);
    expect(followed.told.slice(2)).toEqual(["warning log missing", "info following"]);
  });
});

describe("a link", () => {
  const target = (n: number) => join(log.directory, `real.${String(n)}`);

  beforeEach(async () => {
    await followed.source.stop();
    log.written.length = 0;
    fs.rmSync(log.path);
    log.append(3, target(0));
    fs.symlinkSync("real.0", log.path);
    followed = new Followed(log.path);
    await followed.source.start();
  });

  function retarget(n: number): void {
    fs.symlinkSync(`real.${String(n)}`, `${log.path}.tmp`);
    fs.renameSync(`${log.path}.tmp`, log.path);
  }

  test("gets another target, and one that it had before", async () => {
    for (const n of [1, 2, 1]) {
      const old = log.open();
      log.append(5, old);
      await seen();
      retarget(n);
      log.append(5, old);
      log.append(5, target(n));
      await seen();
    }
    // Two files that are written together have no order between them.
    expect(followed.texts.toSorted(byNumber)).toEqual(log.written);
  });

  test("its target is rotated where it lies", async () => {
    log.append(5);
    fs.renameSync(target(0), `${target(0)}.1`);
    log.append(5);
    fs.renameSync(`${target(0)}.1`, `${target(0)}.2`);
    fs.renameSync(target(0), `${target(0)}.1`);
    log.append(5);
    await followed.all(log);
  });
});

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10);
}
