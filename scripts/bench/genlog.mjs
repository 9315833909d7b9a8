/** `node scripts/bench/genlog.mjs --out mail.log --truth mail.json`: writes a mail log, and what a reader must find in it. */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { defaults, writeLog } from "./generator.mjs";

const { mix: _mix, ...plain } = defaults;
const options = Object.fromEntries(
  Object.entries(plain).map(([name, value]) => [name, { type: "string", default: String(value) }]),
);
const { values } = parseArgs({
  options: { ...options, out: { type: "string" }, truth: { type: "string" } },
});
const { out, truth, ...given } = values;
if (out === undefined) throw new Error("name the log to write: --out FILE");
for (const [name, value] of Object.entries(plain)) {
  if (typeof value === "number") given[name] = Number(given[name]);
}
const found = await writeLog(out, given);
if (truth !== undefined) writeFileSync(truth, `${JSON.stringify(found, null, 2)}\n`);
