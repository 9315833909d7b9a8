/** Takes the figures that are asked for, where it is started: `measure.mjs latency,catchup,adapters,idle SECONDS`. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { stopped } from "../command.mjs";
import { project } from "../ground.mjs";
import { measureAdapters } from "./adapters.mjs";
import { measureCatchUp } from "./catchup.mjs";
import { measureIdle } from "./idle.mjs";
import { measureLatency } from "./latency.mjs";

const [chosen, seconds] = process.argv.slice(2);
const wanted = chosen.split(",");
process.env.PATH += ":/usr/sbin:/sbin";

async function main() {
  const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const machine = `${availableParallelism()} x ${cpus()[0]?.model.trim()}`;
  console.log(`popgate ${version}, Node ${process.versions.node}, ${machine}`);
  const directory = mkdtempSync(join(tmpdir(), "popgate-bench-"));
  try {
    if (wanted.includes("latency")) await measureLatency(directory);
    const right = !wanted.includes("catchup") || (await measureCatchUp(directory));
    const counted = !wanted.includes("adapters") || (await measureAdapters(directory));
    if (wanted.includes("idle")) await measureIdle(directory, { seconds: Number(seconds) });
    if (!right || !counted) console.log("\nwrong counts: see above");
    return right && counted ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  if (!stopped.aborted) console.error(error.message);
}
