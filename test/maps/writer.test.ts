/** What reaches the disk, and what does not. */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { exit } from "../../src/errors.ts";
import { acquireLock } from "../../src/lock.ts";
import { run, type Run } from "../../src/run.ts";
import { until } from "../until.ts";
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

describe("an index that the tool changes in one transaction", () => {
  /** The number alone may be given again. */
  const inode = (directory: string) => {
    const { ino, birthtimeMs } = statSync(join(directory, "relay.lmdb"));
    return `${String(ino)} ${String(birthtimeMs)}`;
  };

  test("is renamed once, then changed where it stands, and emptied there", async () => {
    const { writer, directory, files } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice]);
    const before = inode(directory);
    for (const clients of [[alice, bob], [bob], [], [alice]]) {
      expect(await one.write(clients)).toBe("written");
      expect(files()).toEqual({ relay: clients, "relay.lmdb": clients });
      expect(inode(directory)).toBe(before);
      expect(statSync(join(directory, "relay.lmdb")).nlink).toBe(1);
    }
    expect(await one.write([alice])).toBe("unchanged");
  });

  test.each<[string, (index: string) => void]>([
    ["by another process", (index) => rmSync(index)],
    ["by another file", (index) => (rmSync(index), writeFileSync(index, "x"))],
    ["by an owner's hand", (index) => chmodSync(index, 0o666)],
  ])("is renamed again after it was touched %s", async (_, touch) => {
    const { writer, directory, files } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice]);
    const before = inode(directory);
    touch(join(directory, "relay.lmdb"));
    await one.write([bob]);
    expect(files()).toEqual({ relay: [bob], "relay.lmdb": [bob] });
    expect(inode(directory)).not.toBe(before);
    expect(statSync(join(directory, "relay.lmdb")).mode & 0o7777).toBe(0o644);
  });

  test("is renamed by the next process: a tool of the one before may have it open still", async () => {
    const { writer, directory } = bench("postfix", "lmdb");
    await writer().write([alice]);
    const before = inode(directory);
    await writer().write([bob]);
    expect(inode(directory)).not.toBe(before);
  });

  test.each(["fails", "hangs", "killed", "silent"] as const)(
    "by a tool that %s: the next one is built aside",
    async (behaviour) => {
      const { writer, use, directory, files } = bench("postfix", "lmdb");
      const one = writer();
      await one.write([alice]);
      const before = inode(directory);
      use(behaviour);
      await expect(one.write([bob])).rejects.toThrow(/relay: /);
      expect(files()["relay"]).toEqual([alice]);
      use("works");
      expect(await one.write([alice])).toBe("written");
      expect(inode(directory)).not.toBe(before);
      expect(files()).toEqual({ relay: [alice], "relay.lmdb": [alice] });
    },
  );

  test("with a hard link: who reads it sees the change, and it is told", async () => {
    const { writer, directory, told } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice]);
    linkSync(join(directory, "relay.lmdb"), join(directory, "backup"));
    await one.write([]);
    expect(readFileSync(join(directory, "backup"), "utf8")).not.toContain(alice);
    expect(told).toEqual([expect.stringMatching(/hard-linked/)]);
  });
});

describe("the last resort", () => {
  const spares = (directory: string) =>
    readdirSync(directory).filter((name) => name.includes("popgate-empty"));

  test.each([
    ["postfix", "hash", 2],
    ["postfix", "lmdb", 2],
    ["sendmail", "btree", 2],
    ["exim", "", 1],
  ] as const)(
    "%s %s: an empty map stands ready, and is made again after use",
    async (mta, type, count) => {
      const { writer, directory, files, use } = bench(mta, type);
      const one = writer();
      await one.write([alice]);
      expect(spares(directory)).toHaveLength(count);
      use("fails");
      await one.resort();
      expect(Object.values(files())).toEqual(Array.from({ length: count }, () => []));
      expect(spares(directory)).toEqual([]);
      await one.resort();
      expect(await one.write([])).toBe("unchanged");
      use("works");
      expect(await one.write([alice])).toBe("written");
      expect(Object.values(files())).toEqual(Array.from({ length: count }, () => [alice]));
      expect(spares(directory)).toHaveLength(count);
    },
  );

  test("no client gets in before it stands ready", async () => {
    const { writer, use, files, loseSpare } = bench();
    const one = writer();
    use("fails");
    await expect(one.write([alice])).rejects.toThrow(/No space/);
    expect(files()).toEqual({});
    use("works");
    await one.write([alice]);
    loseSpare();
    use("fails");
    await expect(one.write([alice, bob])).rejects.toThrow(/No space/);
    await expect(one.resort()).rejects.toEqual(
      rejection(exit.tempFail, /map hash:.*: no empty map is prepared/),
    );
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
  });

  test("of the next process uses what the one before has prepared", async () => {
    const { writer, files, map } = bench();
    await writer().write([alice]);
    rmSync(map.settings.tool ?? "");
    await writer().resort();
    expect(files()).toEqual({ relay: [], "relay.db": [] });
  });

  test("overtakes a write that hangs, which does not come after it", async () => {
    const { writer, use, files, directory } = bench();
    const one = writer();
    await one.write([alice]);
    const started = join(directory, "..", "started");
    use("waits");
    const write = one.write([alice, bob]);
    await until("the tool", () => existsSync(started));
    await one.resort();
    expect(files()).toEqual({ relay: [], "relay.db": [] });
    rmSync(started);
    await expect(write).rejects.toThrow(/the last resort came first|made no index/);
    expect(files()).toEqual({ relay: [], "relay.db": [] });
    use("works");
    expect(await one.write([alice, bob])).toBe("written");
  });

  test("is not undone by a write that waited for the lock meanwhile", async () => {
    const { writer, files, directory } = bench();
    const one = writer();
    await one.write([alice]);
    await one.close();
    const held = await acquireLock(join(directory, ".relay.popgate-lock"), run);
    const write = one.write([alice, bob]);
    await one.resort();
    held?.release();
    await expect(write).rejects.toThrow(/the last resort came first/);
    expect(files()).toEqual({ relay: [], "relay.db": [] });
  });

  test("is known to be undone by a tool that fails when it has changed the index where it stands", async () => {
    const { writer, use, files } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice, bob]);
    await one.resort();
    expect(one.isEmpty).toBe(true);
    use("failsFull");
    await expect(one.write([alice])).rejects.toThrow(/exit status 1/);
    expect(files()["relay.lmdb"]).toEqual([alice]);
    expect(one.isEmpty).toBe(false);
  });

  test("is not undone by the tool of a popgate that was killed while it changed the index where it stands", async () => {
    const { writer, use, files, directory } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice]);
    const started = join(directory, "..", "started");
    use("late");
    const write = one.write([alice, bob]);
    await until("the tool", () => existsSync(started));
    const former = openSync(join(directory, "relay.lmdb"), "r");
    await writer().resort();
    // By this smtpd knows that the file that it has open was replaced.
    expect(fstatSync(former).nlink).toBe(0);
    closeSync(former);
    rmSync(started);
    // It lives on, and what it changes is the index that nobody reads any more.
    await write.catch(() => {});
    expect(files()["relay.lmdb"]).toEqual([]);
  });

  test("works in a directory that others can write to, where nothing else is written", async () => {
    const { writer, files, directory } = bench();
    const one = writer();
    await one.write([alice]);
    chmodSync(directory, 0o777);
    await expect(one.write([])).rejects.toEqual(rejection(exit.config, /others can write/));
    await one.resort();
    expect(files()).toEqual({ relay: [], "relay.db": [] });
  });

  test.each<[string, (spare: string) => void]>([
    ["holds a client", (spare) => appendFileSync(spare, "203.0.113.1\tOK\n")],
    ["is a link", (spare) => (rmSync(spare), symlinkSync("/etc/hostname", spare))],
    ["is a hard link", (spare) => linkSync(spare, `${spare}.theirs`)],
  ])("does not take an empty map that %s", async (_, spoil) => {
    const { writer, files, directory } = bench();
    const one = writer();
    await one.write([alice]);
    const [spare = ""] = spares(directory);
    spoil(join(directory, spare));
    await expect(one.resort()).rejects.toThrow(/is not empty|was not made by popgate/);
    expect(files()).toMatchObject({ relay: [alice], "relay.db": [alice] });
    expect(await one.write([alice, bob])).toBe("written");
    await one.resort();
  });

  test("does not touch what is not popgate's", async () => {
    const { writer, directory } = bench();
    const one = writer();
    await one.write([alice]);
    writeFileSync(join(directory, "relay"), "192.0.2.0/24 OK\n");
    await expect(one.resort()).rejects.toEqual(rejection(exit.config, /not written by popgate/));
    expect(readFileSync(join(directory, "relay"), "utf8")).toBe("192.0.2.0/24 OK\n");
  });

  test("is not left behind when the table is given up", async () => {
    const { writer, directory } = bench();
    const one = writer();
    await one.write([]);
    await one.close(true);
    expect(readdirSync(directory)).toEqual([".relay.popgate-lock", "relay", "relay.db"]);
  });
});

describe("a table that is asked after it was written", () => {
  test.each([0, 10])(
    "and lacks a client, at write %s: not written, and written again",
    async (before) => {
      const { writer, use, files } = bench();
      const one = writer();
      for (let write = 0; write < before; write++) await one.write(write % 2 ? [bob] : [alice]);
      use("silent");
      await expect(one.write([alice, bob])).rejects.toEqual(
        rejection(exit.tempFail, /does not answer what was written/),
      );
      use("works");
      expect(await one.write([bob])).toBe("written");
      expect(files()).toEqual({ relay: [bob], "relay.db": [bob] });
    },
  );

  test("is asked each time after an error, before it gets its name", async () => {
    const { writer, use, files } = bench();
    const one = writer();
    await one.write([alice]);
    use("fails");
    await expect(one.write([bob])).rejects.toThrow(/No space/);
    use("silent");
    await expect(one.write([bob])).rejects.toThrow(/lacks what it was given/);
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
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

describe("the lock", () => {
  const locked = (directory: string) =>
    acquireLock(join(directory, ".relay.popgate-lock"), impatient, 0);

  test("is kept from the first write to the end", async () => {
    const { writer, directory } = bench();
    const one = writer();
    await one.write([alice]);
    expect(await locked(directory)).toBeUndefined();
    await one.close();
    const other = await locked(directory);
    expect(other).toBeDefined();
    other?.release();
    expect(await one.write([bob])).toBe("written");
  });

  test("is taken anew when somebody removed its file", async () => {
    const { writer, directory } = bench();
    const one = writer();
    await one.write([alice]);
    rmSync(join(directory, ".relay.popgate-lock"));
    await one.write([bob]);
    expect(await locked(directory)).toBeUndefined();
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
