/** `follower.mjs LOG`: follows a log with popgate's own source, as it is built; at SIGTERM it prints each line's delay in ms. */

import { join } from "node:path";
import { project } from "../ground.mjs";

const [path] = process.argv.slice(2);
const { systemClock: clock } = await import(join(project, "dist/clock.js"));
const { FileSource } = await import(join(project, "dist/sources/file.js"));

const lines = [];
const source = new FileSource({
  path,
  clock,
  wants: (bytes, from, end) => bytes.latin1Slice(from, end).includes("-login: Log"),
  log: { info() {}, warning: console.error, error: console.error },
  deliver({ bytes }) {
    const now = process.hrtime.bigint();
    const [, number, rotation, sent] = /number=(\d+) rotation=(\d+) sent=(\d+)/.exec(bytes);
    lines.push({
      number: Number(number),
      rotation: Number(rotation),
      delay: Number(now - BigInt(sent)) / 1e6,
    });
  },
});
await source.start();
process.on("SIGTERM", async () => {
  await source.stop();
  process.stdout.write(JSON.stringify(lines));
});
console.error("follows");
