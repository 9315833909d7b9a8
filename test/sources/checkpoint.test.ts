/** What a checkpoint says, and what is done with one that is old, damaged or missing. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Mark } from "../../src/model.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let running: Followed | undefined;

beforeEach(() => {
  log = new LogDirectory();
});

afterEach(async () => {
  await running?.source.stop();
  log.remove();
});

/** As the state file does. */
function saved(checkpoint: readonly Mark[]): readonly Mark[] {
  return JSON.parse(JSON.stringify(checkpoint)) as readonly Mark[];
}

async function follow(checkpoint?: readonly Mark[], since?: number): Promise<Followed> {
  running = new Followed(log.path, {
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(since === undefined ? {} : { since }),
  });
  await running.source.start();
  return running;
}

describe("a checkpoint", () => {
  test("that is older makes lines come again, and none is lost", async () => {
    log.append(5);
    const first = await follow();
    const checkpoint = saved(first.source.checkpoint());
    log.append(5);
    log.rotate();
    log.append(5);
    await first.all(log);
    await first.source.stop();
    const second = await follow(checkpoint);
    expect(second.texts).toEqual(log.written.slice(5));
  });

  test("of a file that is gone: told, and all that is left is read", async () => {
    log.append(5);
    const first = await follow();
    await first.source.stop();
    for (let i = 0; i < 3; i++) {
      log.rotate(2);
      log.append(5);
    }
    const second = await follow(saved(first.source.checkpoint()), Date.now() - 60_000);
    expect(second.texts).toEqual(log.written.slice(5));
    expect(second.times("warning possible gap")).toBe(1);
  });

  test.each<[string, readonly Mark[]]>([
    ["empty", []],
    ["of nothing read", [{ dev: 1, ino: 1, offset: 0, anchor: "", head: "" }]],
  ])("that is %s: read from the start, nothing told", async (_, checkpoint) => {
    log.append(5);
    const followed = await follow(checkpoint);
    await followed.all(log);
    expect(followed.told).toEqual(["info following", "info caught up"]);
  });

  test.each<[string, readonly Mark[]]>([
    ["foreign", [{ dev: 1, ino: 1, offset: 3, anchor: "YWJj", head: "YWJj" }]],
    ["damaged", [{ dev: 1, ino: 1, offset: 70, anchor: "?", head: "" }]],
    ["senseless", [{ dev: 1, ino: 1, offset: Number.NaN, anchor: "", head: "" }]],
  ])("that is %s: told, and read from the start", async (_, checkpoint) => {
    log.append(5);
    const followed = await follow(checkpoint);
    await followed.all(log);
    expect(followed.times("warning possible gap")).toBe(1);
  });

  test("is as small as it may be", async () => {
    log.append(100);
    const { source } = await follow();
    const [mark] = source.checkpoint();
    expect(mark?.offset).toBe(fs.statSync(log.path).size);
    expect(Buffer.from(mark?.anchor ?? "", "base64")).toHaveLength(64);
    expect(Buffer.from(mark?.head ?? "", "base64")).toHaveLength(256);
  });
});

describe("without a checkpoint", () => {
  beforeEach(() => {
    for (const modified of [1000, 2000, 3000]) {
      log.append(5);
      log.rotate();
      fs.utimesSync(`${log.path}.1`, modified, modified);
    }
    log.append(5);
  });

  test("the log is read from its start", async () => {
    await (await follow()).all(log, 15);
  });

  test("rotated files that changed later than `since` are read before", async () => {
    log.gzip(`${log.path}.2`);
    const followed = await follow(undefined, 2_000_000);
    await followed.all(log, 5);
    expect(followed.lines.map(({ number }) => number)).toEqual(
      [0, 1, 2].flatMap(() => [1, 2, 3, 4, 5]),
    );
  });
});
