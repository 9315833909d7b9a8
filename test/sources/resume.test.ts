/** Nothing is lost between a stop and a start; only what came since the checkpoint is read again, after a clean stop nothing. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Mark } from "../../src/model.ts";
import { until } from "../until.ts";
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

/** What happens while nobody follows. Each is given the log with 30 lines that were read and a writer that is open. */
const meanwhile: Readonly<Record<string, (writer: number) => void>> = {
  nothing: () => undefined,
  "lines are written": (writer) => log.append(20, writer),
  "it is rotated": (writer) => {
    log.append(20, writer);
    log.rotate();
    log.append(20);
  },
  "it is rotated and the old file is written on": (writer) => {
    log.rotate();
    log.append(20, writer);
    log.append(20);
  },
  "it is rotated twice": (writer) => {
    log.append(20, writer);
    log.rotate();
    log.append(20);
    log.rotate();
    log.append(20);
  },
  "it is rotated by date": (writer) => {
    log.append(20, writer);
    for (const day of ["20260101", "20260102"]) {
      fs.renameSync(log.path, `${log.path}-${day}`);
      log.append(20);
    }
  },
  "it is rotated, the new file still empty": (writer) => {
    log.append(20, writer);
    log.rotate();
  },
  "it is rotated, no new file yet": (writer) => {
    log.append(20, writer);
    log.shift();
  },
  "it is rotated and compressed": (writer) => {
    log.append(20, writer);
    log.rotate();
    log.gzip(`${log.path}.1`);
    log.append(20);
  },
  "it is rotated three times, all compressed": (writer) => {
    for (let i = 0; i < 3; i++) {
      log.append(20, i === 0 ? writer : log.path);
      log.rotate();
      log.gzip(`${log.path}.1`);
    }
    log.append(20);
  },
  "it is rotated twice, the older compressed": (writer) => {
    log.append(20, writer);
    log.rotate();
    log.append(20);
    log.rotate();
    log.gzip(`${log.path}.2`);
    log.append(20);
  },
  "it is copied and truncated": (writer) => {
    log.append(20, writer);
    log.copyTruncate();
    log.append(5, writer);
  },
  "it is copied and truncated, and regrows": (writer) => {
    log.append(20, writer);
    log.copyTruncate();
    log.append(200, writer);
  },
  "it is copied and truncated twice, the older copy compressed": (writer) => {
    log.append(20, writer);
    log.copyTruncate();
    log.append(20, writer);
    log.copyTruncate();
    log.gzip(`${log.path}.2`);
    log.append(20, writer);
  },
  "it is copied, truncated, and the copy compressed": (writer) => {
    log.append(20, writer);
    log.copyTruncate();
    log.gzip(`${log.path}.1`);
    log.append(5, writer);
  },
  "it is overwritten in place by more than there was": () => {
    fs.copyFileSync(log.path, `${log.path}.1`);
    fs.truncateSync(log.path);
    log.append(100);
  },
};

describe.each([
  ["a clean stop", 0],
  ["a kill, 10 lines after the checkpoint", 10],
])("after %s, meanwhile", (_, again) => {
  /** The first 30 lines are read, the last of them after the checkpoint. */
  async function readAll(writer: number): Promise<readonly Mark[]> {
    log.append(30 - again, writer);
    const first = await follow();
    const checkpoint = saved(first.source.checkpoint());
    log.append(again, writer);
    await first.all(log);
    await first.source.stop();
    return checkpoint;
  }

  async function readOn(checkpoint: readonly Mark[]): Promise<void> {
    const second = await follow(checkpoint);
    expect(second.texts).toEqual(log.written.slice(30 - again));
    expect(second.lines.every(({ live }) => !live)).toBe(true);
    log.append(10);
    await second.all(log, 30 - again);
    expect(second.times("warning possible gap")).toBe(0);
  }

  test.each(Object.entries(meanwhile))("%s", async (__, happens) => {
    const writer = log.open();
    const checkpoint = await readAll(writer);
    happens(writer);
    await readOn(checkpoint);
  });

  test("it is compressed, and the new file gets its inode number", async ({ skip }) => {
    const writer = log.open();
    const checkpoint = await readAll(writer);
    log.append(20, writer);
    const { ino } = fs.statSync(log.path);
    log.shift();
    log.gzip(`${log.path}.1`);
    log.close(writer);
    skip(!log.create(ino), "this file system does not give an inode number out again");
    log.append(50);
    await readOn(checkpoint);
  });
});

describe("stopped", () => {
  test("inside a line", async () => {
    log.append(5);
    const bytes = log.line("half and half");
    log.raw(bytes.slice(0, 8));
    const first = await follow();
    await first.source.stop();
    log.raw(bytes.slice(8));
    const second = await follow(saved(first.source.checkpoint()));
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });

  test("inside a line that is too long: its end is not taken for a line", async () => {
    log.append(5);
    log.raw("x".repeat(300_000));
    const first = await follow();
    await first.source.stop();
    log.raw(" end #\n");
    log.append(1);
    const second = await follow(saved(first.source.checkpoint()));
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });

  test("while an old file lingers", async () => {
    const old = log.open();
    log.append(5, old);
    const first = await follow();
    log.rotate();
    log.append(5);
    await first.all(log);
    await first.source.stop();
    log.append(5, old);
    log.append(5);
    const second = await follow(saved(first.source.checkpoint()));
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });

  test("right after a rotation, and rotated twice more", async () => {
    log.append(5);
    const first = await follow();
    log.rotate();
    await until("the new file", () => first.times("info rotated") === 1);
    await first.source.stop();
    for (let i = 0; i < 2; i++) {
      log.append(20);
      log.rotate();
    }
    log.append(20);
    const second = await follow(saved(first.source.checkpoint()));
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });

  test("killed right after a truncation, and truncated twice more", async () => {
    log.append(5);
    const first = await follow();
    log.copyTruncate();
    await until("the truncation", () => first.times("info truncated") === 1);
    const checkpoint = saved(first.source.checkpoint());
    await first.source.stop();
    for (let i = 0; i < 2; i++) {
      log.append(20);
      log.copyTruncate();
    }
    log.append(20);
    const second = await follow(checkpoint);
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });

  test("before the start is over: the rest comes after the next start", async () => {
    log.append(2000);
    log.raw("no marker\n".repeat(3_000_000));
    log.rotate();
    log.append(2000);
    const first = new Followed(log.path, { since: 0 });
    const started = first.source.start();
    await until("some lines", () => first.lines.length > 0);
    await first.source.stop();
    await started;
    expect(first.lines.length).toBeLessThan(4000);
    const second = await follow(saved(first.source.checkpoint()));
    expect([...first.texts, ...second.texts]).toEqual(log.written);
  });
});
