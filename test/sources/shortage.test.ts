/** The process has no descriptor left, in earnest: whatever happens to the log meanwhile is read when it has some again. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf } from "../../src/errors.ts";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;
let taken: number[];

/** Sets how many descriptors this process may have; gives what it might have before. */
function limit(descriptors: string): string {
  const pid = ["--pid", String(process.pid)];
  const argv = [...pid, "--nofile", "--output=SOFT", "--noheadings"];
  const before = execFileSync("prlimit", argv, { encoding: "utf8" }).trim();
  execFileSync("prlimit", [...pid, `--nofile=${descriptors}:`]);
  return before;
}

function takeAll(): void {
  for (;;) {
    try {
      taken.push(fs.openSync("/dev/null", "r"));
    } catch (thrown) {
      if (codeOf(thrown) === "EMFILE") return;
      throw thrown;
    }
  }
}

/** Gives back so many, or all. */
function giveBack(descriptors = taken.length): void {
  for (const descriptor of taken.splice(0, descriptors)) fs.closeSync(descriptor);
}

let usual: string;

beforeEach(async () => {
  usual = limit("256");
  taken = [];
  log = new LogDirectory();
  log.append(5);
  followed = new Followed(log.path);
  await followed.source.start();
});

afterEach(async () => {
  giveBack();
  limit(usual);
  await followed.source.stop();
  const open = log.descriptors();
  log.remove();
  expect(open).toBe(0);
});

/** Does something that needs a descriptor itself, when there is no other one. */
function withOne(happens: () => void): void {
  giveBack(4);
  happens();
  takeAll();
}

test.each<[string, () => void]>([
  [
    "it is rotated three times",
    () => {
      for (let i = 0; i < 3; i++) {
        log.append(5);
        log.rotate();
      }
    },
  ],
  [
    "it is copied and truncated twice",
    () => {
      for (let i = 0; i < 2; i++) {
        log.append(5);
        log.copyTruncate();
      }
    },
  ],
  ["it is unlinked", () => fs.unlinkSync(log.path)],
])("%s", async (_, happens) => {
  const old = log.open();
  takeAll();
  log.append(5, old);
  await until("the lines of the open file", () => followed.lines.length === 10);
  withOne(() => {
    happens();
    log.append(5);
  });
  await until("it to be told", () =>
    followed.told.some((one) => /unreadable|cannot be followed/.test(one)),
  );
  log.append(5, old);
  giveBack();
  await until("all lines", () => followed.lines.length >= log.written.length);
  // Files that are written together have no order between them.
  expect(followed.texts.toSorted()).toEqual(log.written.toSorted());
  expect(followed.times("warning possible gap")).toBe(0);
  expect(followed.told.filter((one) => !one.startsWith("info"))).toHaveLength(1);
});
