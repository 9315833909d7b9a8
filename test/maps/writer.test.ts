/** What reaches the disk, and what does not. */
import { linkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { exit } from "../../src/errors.ts";
import { acquireLock } from "../../src/lock.ts";
import { run, type Run } from "../../src/run.ts";
import { alice, bench, bob, rejection } from "./writer-bench.ts";

/** Does not wait for a lock. */
const impatient: Run = (argv, options) =>
  run(argv[0] === "flock" ? ["flock", "-xn", "-E", "200", "3"] : argv, options);

describe("a write", () => {
  test.each(["postfix", "sendmail"] as const)(
    "%s: source and index, readable by all",
    async (mta) => {
      const { writer, files, directory } = bench(mta);
      const before = process.umask(0o077);
      onTestFinished(() => void process.umask(before));
      expect(await writer().write([bob, alice])).toBe("written");
      expect(Object.keys(files())).toEqual(["relay", "relay.db"]);
      expect(files()["relay.db"]).toEqual(files()["relay"]);
      for (const name of ["relay", "relay.db"]) {
        expect(statSync(join(directory, name)).mode & 0o7777).toBe(0o644);
      }
    },
  );

  test("Exim: the list alone", async () => {
    const { writer, files } = bench("exim");
    await writer().write([bob, alice]);
    expect(files()).toEqual({ relay: ["192.0.2.1", "2001:db8::2"] });
  });

  test("no clients: an index without keys, not no index", async () => {
    const { writer, files } = bench();
    const one = writer();
    await one.write([alice]);
    await one.write([]);
    expect(files()).toEqual({ relay: [], "relay.db": [] });
  });

  test("the same again: nothing is touched", async () => {
    const { writer, use } = bench();
    const one = writer();
    await one.write([alice, bob]);
    use("fails");
    expect(await one.write([bob, alice, alice])).toBe("unchanged");
    await expect(one.write([bob])).rejects.toThrow(/No space left/);
    expect(await one.write([alice, bob])).toBe("unchanged");
  });

  test("the same again, but somebody touched the map: written anew", async () => {
    const { writer, files, directory } = bench();
    const one = writer();
    await one.write([alice]);
    writeFileSync(join(directory, "relay.db"), "203.0.113.1\tOK\n");
    expect(await one.write([alice])).toBe("written");
    rmSync(join(directory, "relay.db"));
    expect(await one.write([alice])).toBe("written");
    rmSync(join(directory, "relay"));
    expect(await one.write([alice])).toBe("written");
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
  });

  test("running readers keep the file that they opened: the live one is replaced, never changed", async () => {
    const { writer, directory } = bench();
    const one = writer();
    await one.write([alice]);
    const before = statSync(join(directory, "relay.db")).ino;
    await one.write([bob]);
    expect(statSync(join(directory, "relay.db")).ino).not.toBe(before);
  });

  test("every new index has a time of change in a second of its own", async () => {
    const { writer, directory } = bench();
    const one = writer();
    const seconds: number[] = [];
    for (const clients of [[alice], [], [bob], [], [alice]]) {
      await one.write(clients);
      seconds.push(Math.floor(statSync(join(directory, "relay.db")).mtimeMs / 1000));
    }
    expect(seconds).toEqual([...new Set(seconds)].sort((a, b) => a - b));
  });
});

describe("two writers", () => {
  test("at once: one after the other, each whole", async () => {
    const { writer, files } = bench();
    const one = writer();
    const other = writer();
    for (let round = 0; round < 5; round++) {
      await Promise.all([one.write([alice]), other.write([bob]), one.write([alice, bob])]);
      expect(files()["relay.db"]).toEqual(files()["relay"]);
      expect(Object.keys(files())).toEqual(["relay", "relay.db"]);
    }
  });

  test("one that hangs: the other gives up in time, and says whom it waits for", async () => {
    const { writer, directory } = bench();
    const held = await acquireLock(join(directory, ".relay.popgate-lock"), run);
    await expect(writer({ run: impatient }).write([alice])).rejects.toEqual(
      rejection(exit.tempFail, new RegExp(`another popgate .pid ${String(process.pid)}.`)),
    );
    held?.release();
  });
});

describe("a hard link to the live index", () => {
  test("is a fault that is told once, until it is gone", async () => {
    const { writer, directory, told } = bench();
    const one = writer();
    await one.write([alice]);
    linkSync(join(directory, "relay.db"), join(directory, "backup"));
    await one.write([alice]);
    expect(one.fault).toMatch(/relay\.db is hard-linked/);
    expect(told).toEqual([expect.stringMatching(/changes are not seen.*hard-linked/)]);
    await one.write([bob]);
    expect(one.fault).toBeUndefined();
  });
});

describe("check", () => {
  test("tries everything, and leaves nothing", async () => {
    const { writer, files } = bench();
    await writer().check();
    expect(files()).toEqual({});
    await writer().write([alice]);
    await writer().check();
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
  });

  test.each([
    ["noType", exit.config],
    ["fails", exit.tempFail],
  ] as const)("%s", async (behaviour, code) => {
    const { writer, use, files } = bench();
    use(behaviour);
    await expect(writer().check()).rejects.toEqual(rejection(code, /./));
    expect(files()).toEqual({});
  });
});
