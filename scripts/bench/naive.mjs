/** `naive.mjs LOG ADAPTER...`: a string for each line, and every pattern tried on every one; prints the number of logins. */

import { createReadStream } from "node:fs";
import { join } from "node:path";
import { project } from "../ground.mjs";

const [log, ...names] = process.argv.slice(2);
const { adapters } = await import(join(project, "dist/adapters/index.js"));
const patterns = adapters
  .filter(({ name }) => names.includes(name))
  .flatMap(({ logins, correlate }) => [...logins, ...(correlate?.second ?? [])]);
const prefix = /^[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ [^ :[\]]+(?:\[\d+\])?: /;

let logins = 0;
let rest = "";
for await (const chunk of createReadStream(log, { encoding: "latin1", highWaterMark: 524_288 })) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const start = prefix.exec(line)?.[0].length;
    if (start === undefined) continue;
    const message = line.slice(start);
    if (patterns.some((pattern) => pattern.test(message))) logins++;
  }
}
console.log(String(logins));
