/** Each read, each opening and each listing fails once, whichever it is: nothing is lost, and nothing is read twice. */
import { describe, expect, test, vi } from "vitest";
import { until } from "../until.ts";
import { failing, fault } from "./faulty.ts";
import type { Fallible } from "./faulty.ts";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

vi.mock("node:fs", async (original) => {
  const { faulty } = await import("./faulty.ts");
  return faulty(await original<typeof import("node:fs")>());
});

const stories: Readonly<Record<string, (log: LogDirectory) => void>> = {
  "rotated three times, once compressed": (log) => {
    for (let i = 0; i < 3; i++) {
      log.append(3);
      log.rotate();
    }
    log.gzip(`${log.path}.2`);
  },
  "copied and truncated twice": (log) => {
    for (let i = 0; i < 2; i++) {
      log.append(3);
      log.copyTruncate();
    }
  },
};

/** Tells a story while a log is followed, or between a stop and a start, with the n-th call failing; gives the calls. */
async function tell(
  happens: (log: LogDirectory) => void,
  restarted: boolean,
  what: Fallible,
  nth: number,
): Promise<number> {
  const log = new LogDirectory();
  let calls = 0;
  const fails = failing(what === "read" ? "EIO" : "EMFILE", "");
  try {
    log.append(3);
    let followed = new Followed(log.path, { clock: hurried });
    await followed.source.start();
    if (restarted) await followed.source.stop();
    fault[what] = (path) => {
      if (path.startsWith(log.directory) && ++calls === nth) fails(path);
    };
    happens(log);
    log.append(3);
    if (restarted) {
      followed = new Followed(log.path, {
        clock: hurried,
        checkpoint: followed.source.checkpoint(),
      });
      await followed.source.start();
    }
    const from = restarted ? 3 : 0;
    await until("all lines", () => followed.lines.length + from >= log.written.length);
    await followed.source.stop();
    expect(followed.texts.toSorted()).toEqual(log.written.slice(from).toSorted());
    expect(followed.times("warning possible gap")).toBe(0);
    // A compressed file is closed a moment later.
    await until("all to be closed", () => log.descriptors() === 0);
  } finally {
    delete fault[what];
    log.remove();
  }
  return calls;
}

describe.each(["read", "open", "list"] as const)("one %s fails", (what) => {
  describe.each([
    ["while it is followed", false],
    ["after a restart", true],
  ])("%s", (_, restarted) => {
    test.each(Object.entries(stories))("%s", async (__, happens) => {
      let nth = 1;
      while ((await tell(happens, restarted, what, nth)) >= nth) nth++;
      expect(nth).toBeGreaterThan(1);
    });
  });
});
