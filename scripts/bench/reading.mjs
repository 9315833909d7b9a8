/** `reading.mjs LOG`: reads a log with popgate's file source and matches it, as the daemon does, but grants nothing. */

import { join } from "node:path";
import { project } from "../ground.mjs";

const [path] = process.argv.slice(2);
const load = (module) => import(join(project, "dist", module));
const { systemClock: clock } = await load("clock.js");
const { createLog } = await load("log.js");
const { defaultAdapters: adapters } = await load("adapters/index.js");
const { isLogin, Matcher } = await load("adapters/matcher.js");
const { FileSource } = await load("sources/file.js");

const matcher = new Matcher(adapters, { zone: "UTC" });
const clients = new Set();
let logins = 0;
const source = new FileSource({
  path,
  clock,
  wants: (bytes, from, end) => matcher.wants(bytes, from, end),
  log: createLog(clock, (text) => process.stderr.write(text), false),
  deliver(line) {
    const found = matcher.match(line, clock.now());
    if (!isLogin(found)) return;
    logins++;
    clients.add(found.client);
  },
});
await source.start();
const [{ lines }] = source.progress();
await source.stop();
console.log(JSON.stringify({ lines, logins, clients: clients.size }));
