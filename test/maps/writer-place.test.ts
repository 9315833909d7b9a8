/** Where the writer refuses to write, and what it finds after a kill. */
import { chmodSync, chownSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { exit } from "../../src/errors.ts";
import { build } from "../../src/maps/build.ts";
import type { Run } from "../../src/run.ts";
import { alice, bench, bob, rejection } from "./writer-bench.ts";

/** Ends where the tool would run, as far as the test can see. */
const dies: Run = () =>
  new Promise((resolve) => {
    const outcome = { ok: false, missing: false, stdout: "", stderr: "", reason: "killed" };
    onTestFinished(() => resolve(outcome));
  });

describe("a directory that", () => {
  test.each([
    ["the group can write to", 0o775],
    ["others can write to", 0o757],
    ["is like the temp directory", 0o1777],
  ])("%s is refused", async (_, mode) => {
    const { writer, directory, files } = bench();
    chmodSync(directory, mode);
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /others can write to .*\/maps .*\/var\/lib\/popgate/),
    );
    expect(files()).toEqual({});
  });

  test("others can move away is refused", async () => {
    const { writer, directory } = bench();
    chmodSync(join(directory, ".."), 0o777);
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /others can replace/),
    );
  });

  test("is missing", async () => {
    const { writer, directory } = bench();
    rmSync(directory, { recursive: true });
    await expect(writer().check()).rejects.toEqual(rejection(exit.cannotCreate, /no such file/));
  });

  test("is a file", async () => {
    const { writer, directory } = bench();
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "");
    await expect(writer().check()).rejects.toEqual(rejection(exit.cannotCreate, /not a directory/));
  });

  const asRoot = test.skipIf(process.geteuid?.() !== 0);

  asRoot("belongs to somebody else is refused", async () => {
    const { writer, directory } = bench();
    chownSync(directory, 65534, 65534);
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /belongs to user 65534, and popgate runs as 0/),
    );
  });
});

describe("what stands there and is not popgate's", () => {
  test("a source of the admin's own", async () => {
    const { writer, directory } = bench();
    writeFileSync(join(directory, "relay"), "192.0.2.0/24 OK\n");
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /relay was not written by popgate; choose another path/),
    );
    expect(readFileSync(join(directory, "relay"), "utf8")).toBe("192.0.2.0/24 OK\n");
  });

  test("an index without a source", async () => {
    const { writer, directory } = bench();
    writeFileSync(join(directory, "relay.db"), "theirs");
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /relay\.db stands there without/),
    );
  });

  test("but an index whose source is gone is, where popgate keeps its empty map beside it", async () => {
    const { writer, directory, files } = bench();
    await writer().write([alice]);
    rmSync(join(directory, "relay"));
    await writer().write([]);
    expect(files()).toEqual({ relay: [], "relay.db": [] });
  });

  test.each(["relay", "relay.db"])("a link in the place of %s", async (name) => {
    const { writer, directory } = bench();
    writeFileSync(join(directory, "theirs"), "");
    symlinkSync(join(directory, "theirs"), join(directory, name));
    await expect(writer().write([alice])).rejects.toEqual(
      rejection(exit.config, /not a regular file/),
    );
  });

  test("an empty file is nobody's", async () => {
    const { writer, directory } = bench("exim");
    writeFileSync(join(directory, "relay"), "");
    expect(await writer().write([alice])).toBe("written");
  });
});

describe("after a kill", () => {
  test("while the tool runs: the live map is the old one, and the build is removed by the next write", async () => {
    const { writer, files, map } = bench();
    await writer().write([alice]);
    build(
      { text: ["x\tOK\n"], before: "", thorough: false },
      { map, run: dies, deadline: 300 },
    ).catch(() => {});
    await expect
      .poll(() => Object.keys(files()))
      .toContainEqual(expect.stringMatching(/^\.relay\.popgate-[0-9a-f]{16}$/));
    expect(files()).toMatchObject({ relay: [alice], "relay.db": [alice] });
    await writer().write([bob]);
    expect(files()).toEqual({ relay: [bob], "relay.db": [bob] });
  });

  test("between the renames: an index that its source does not tell is written anew", async () => {
    const { writer, files, directory } = bench();
    await writer().write([alice]);
    writeFileSync(join(directory, "relay.db"), `${alice}\tOK\n${bob}\tOK\n`);
    await writer().write([alice]);
    expect(files()["relay.db"]).toEqual([alice]);
  });

  test("between the first two renames ever: a source without an index is popgate's own", async () => {
    const { writer, files, directory } = bench();
    await writer().write([alice]);
    rmSync(join(directory, "relay.db"));
    await writer().write([alice]);
    expect(files()["relay.db"]).toEqual([alice]);
  });

  test("builds of this map are removed, and nothing else", async () => {
    const { writer, files, directory } = bench();
    const token = "0123456789abcdef";
    const ours = [
      `.relay.popgate-${token}`,
      `.relay.popgate-${token}.cdb.tmp`,
      `__db..relay.popgate-${token}.db`,
    ];
    const others = [
      `.relay2.popgate-${token}`,
      ".relay.popgate-old",
      "__db.relay.db",
      `xrelay.popgate-${token}`,
    ];
    for (const name of [...ours, ...others]) writeFileSync(join(directory, name), "");
    await writer().write([alice]);
    expect(Object.keys(files())).toEqual([...others, "relay", "relay.db"].sort());
  });
});
