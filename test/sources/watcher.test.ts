/** What the kernel watches for a log: its files, never all of the directory for longer than the name is missing. */
import fs from "node:fs";
import { afterEach, beforeEach, test } from "vitest";
import { until } from "../until.ts";
import { Followed } from "./follow.ts";
import { LogDirectory } from "./log-directory.ts";

let log: LogDirectory;
let followed: Followed;

beforeEach(() => {
  log = new LogDirectory();
  followed = new Followed(log.path);
});

afterEach(async () => {
  await followed.source.stop();
  log.remove();
});

/** Whether this process watches what a path leads to, see proc(5). */
function isWatched(path: string): boolean {
  const inode = `ino:${fs.statSync(path).ino.toString(16)} `;
  const infos = fs.readdirSync("/proc/self/fdinfo").map((descriptor) => {
    const info = `/proc/self/fdinfo/${descriptor}`;
    // The one of this listing is closed by now.
    return fs.existsSync(info) ? fs.readFileSync(info, "latin1") : "";
  });
  const watches = infos.join("").match(/^inotify wd.*$/gm) ?? [];
  return watches.some((watch) => watch.includes(inode));
}

const onlyTheFile = () => isWatched(log.path) && !isWatched(log.directory);

test("a file that is missing at first", async () => {
  await followed.source.start();
  await until("the directory to be watched", () => isWatched(log.directory));
  log.append(1);
  await followed.all(log);
  await until("the file alone to be watched", onlyTheFile);
});

test("a file whose name is missing during a rotation", async () => {
  log.append(1);
  await followed.source.start();
  await until("the file alone to be watched", onlyTheFile);
  // Whether chokidar sees that in time, so that it watches the directory meanwhile, is a matter of milliseconds.
  log.shift();
  log.append(1);
  await followed.all(log);
  await until("the file alone to be watched", onlyTheFile);
});
