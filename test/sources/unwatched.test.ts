/** The timer alone is enough: no event ever comes, or the kernel refuses to watch. */
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Followed, hurried } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

const refusal = vi.hoisted(() => ({ refused: false }));

vi.mock("tail", () => ({
  Tail: class {
    constructor() {
      if (refusal.refused) throw new Error("watch failed: Error: ENOSPC: no space left on device");
    }
    on() {}
    unwatch() {}
  },
}));

vi.mock("chokidar", () => ({
  watch: () => {
    const watcher = Object.assign(new EventEmitter(), { close: () => Promise.resolve() });
    if (refusal.refused)
      setImmediate(() => watcher.emit("error", new Error("ENOSPC: no space left on device")));
    return watcher;
  },
}));

describe.each([
  ["no event comes", false],
  ["watching is refused", true],
])("%s", (_, refused) => {
  let log: LogDirectory;
  let followed: Followed;

  beforeEach(async () => {
    refusal.refused = refused;
    log = new LogDirectory();
    log.append(3);
    followed = new Followed(log.path, { clock: hurried });
    await followed.source.start();
  });

  afterEach(async () => {
    await followed.source.stop();
    log.remove();
  });

  test("appended, rotated, truncated, unlinked", async () => {
    const old = log.open();
    log.append(20, old);
    log.rotate();
    log.append(20, old);
    log.append(20);
    await followed.all(log);
    log.append(20);
    log.copyTruncate();
    log.append(20);
    await followed.all(log);
    for (let i = 0; i < 3; i++) {
      log.append(20);
      log.rotate();
    }
    log.append(20);
    await followed.all(log);
    expect(followed.times("warning cannot watch, looking 4 times a second")).toBe(refused ? 1 : 0);
  });
});
