/** Takes the figures that are asked for, where it is started: `measure.mjs latency,idle SECONDS`. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { stopped } from "../command.mjs";
import { project } from "../ground.mjs";
import { measureAdapters } from "./adapters.mjs";
import { measureCatchUp } from "./catchup.mjs";
import { measureChurn } from "./churn.mjs";
import { measureControl } from "./control.mjs";
import { measureFollow } from "./follow.mjs";
import { measureGigabyte } from "./gigabyte.mjs";
import { measureGuard } from "./guard.mjs";
import { measureHolds } from "./holds.mjs";
import { measureIdle } from "./idle.mjs";
import { measureLatency } from "./latency.mjs";
import { measureRelay } from "./relay.mjs";

const [chosen, seconds] = process.argv.slice(2);
const wanted = chosen.split(",");
/** Each resolves to false if something came out that must not. */
const measures = {
  latency: measureLatency,
  relay: measureRelay,
  churn: measureChurn,
  follow: measureFollow,
  catchup: measureCatchUp,
  gigabyte: measureGigabyte,
  adapters: measureAdapters,
  guard: measureGuard,
  control: measureControl,
  holds: measureHolds,
  idle: (directory) => measureIdle(directory, Number(seconds)),
};
process.env.PATH += ":/usr/sbin:/sbin";

async function main() {
  const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const machine = `${availableParallelism()} x ${cpus()[0]?.model.trim()}`;
  console.log(`popgate ${version}, Node ${process.versions.node}, ${machine}`);
  const directory = mkdtempSync(join(tmpdir(), "popgate-bench-"));
  try {
    const outcomes = [];
    for (const name of wanted) outcomes.push(await measures[name](directory));
    const right = !outcomes.includes(false);
    if (!right) console.log("\nwrong counts: see above");
    return right ? 0 : 1;
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
