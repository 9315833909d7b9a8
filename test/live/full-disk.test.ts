/** The disk of the tables is full while grants come and go: each stays one whole version, and heals when there is space again. */

import fs from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Crowd } from "../lab/crowd.ts";
import { Lab } from "../lab/lab.ts";
import { withMounts } from "../lab/namespace.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { Postfix } from "../lab/postfix.ts";
import { tablesHere } from "../lab/table.ts";
import { until } from "../lab/wait.ts";
import { Judge } from "./judge.ts";

const ttl = 4000;
const size = 1000;
/** A disk for each directory that lies in this one. */
const disks =
  'for each in "$1"/*; do mount -t tmpfs -o size=1m,mode=755 tmpfs "$each"; done; shift; exec "$@"';

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.open();
});

afterEach(() => lab.close());

describe.skipIf(lacks("root", "namespaces", "postfix"))("a full disk under load", () => {
  it("keeps every table whole, and none from healing", async () => {
    const directory = await lab.folder("maps");
    const popgate = new Popgate(lab, "popgate", (argv) => withMounts(disks, directory, argv));
    const seen = (path: string): string => `/proc/${popgate.pid}/root${path}`;
    const postfix = new Postfix(lab, []);
    await postfix.configure();
    const tables = tablesHere(lab, "maps", postfix.config, seen);
    const log = lab.path("mail.log");
    const crowd = new Crowd({ log, ttl, size });
    const judge = new Judge(tables, crowd);
    const map = tables.map((table) => table.map);
    await popgate.configure({ ttl: `${ttl / 1000}s`, source: [{ path: log }], map });
    await lab.start(crowd);
    await lab.start(popgate);
    await judge.current();
    // No source fits; a source and the beginning of its index; more of it.
    for (const left of [0, 28 * 1024, 48 * 1024]) {
      const told = popgate.lines.length;
      const fillers = tables.map(({ live }) => fill(dirname(live), left));
      await popgate.told(/^error: map not written/, told);
      const count = crowd.count;
      const meanwhile = async (): Promise<boolean> => {
        await judge.whole();
        // Long enough for another try of each.
        return crowd.count > count + (size * 1200) / ttl;
      };
      await until("logins meanwhile", meanwhile, { every: 50 });
      for (const filler of fillers) fs.rmSync(filler);
      await judge.current();
    }
    await until("no build", () => judge.builds().length === 0, { every: 1 });
    const failed = popgate.lines.filter((line) => line.startsWith("error: map not written"));
    for (const { table } of map) {
      expect(failed.some((line) => line.includes(`table=${table} `))).toBe(true);
    }
  });
});

/** Leaves so many bytes on a disk of whole pages. */
function fill(directory: string, left: number): string {
  const filler = join(directory, "filler");
  const { bavail, bsize } = fs.statfsSync(directory);
  fs.writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  return filler;
}
