/** `npm run soak [-- [--programs 10000] [--seed N] [--workers 2] [--cases 1000000]]`: what npm test tries, many times over. */

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { must, run, stopped } from "./command.mjs";
import { prepareGround, project, step } from "./ground.mjs";

/** What is counted, and what the table calls it. */
const columns = {
  lines: "lines",
  lost: "lost",
  duplicated: "duplicated",
  again: "again after kill",
  inherent: "inherent",
  gaps: "gaps told",
};

/** The tests of properties whose cases grow with POPGATE_CASES, and how many they try with 1, at least. */
const properties = ["forging", "correlate", "sieve"].map((name) => `test/adapters/${name}.test.ts`);
const casesOfOne = 50_000;

/** Either of the two alone if it is named, else both. */
async function main() {
  const { values } = parseArgs({
    options: {
      programs: { type: "string" },
      seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1e9)) },
      workers: { type: "string", default: String(availableParallelism()) },
      cases: { type: "string" },
    },
  });
  const both = values.programs === undefined && values.cases === undefined;
  const programs = values.programs ?? (both ? "10000" : undefined);
  const cases = values.cases ?? (both ? "1000000" : undefined);
  await prepareGround();
  let fine = true;
  if (programs !== undefined) fine = (await walks(positive("programs", programs), values)) && fine;
  if (cases !== undefined) fine = (await forgeries(positive("cases", cases))) && fine;
  return fine ? 0 : 1;
}

/** Puts a stranger's text into every field of every adapter's lines, so many times at least. */
async function forgeries(cases) {
  const times = Math.ceil(cases / casesOfOne);
  console.log(`forgeries, at least ${times * casesOfOne} cases`);
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  const argv = [
    process.execPath,
    vitest,
    "run",
    "--config",
    "test/vitest.config.ts",
    ...properties,
  ];
  const { code } = await run(argv, {
    cwd: project,
    env: { POPGATE_CASES: String(times) },
    show: true,
  });
  return code === 0;
}

/** Random programs of what can happen to a log, against a model. */
async function walks(programs, options) {
  const seed = positive("seed", options.seed);
  const workers = positive("workers", options.workers);
  const tsc = join(project, "node_modules/.bin/tsc");
  const compile = [tsc, "-p", "test/tsconfig.json", "--noCheck"];
  await step("soak", () => must(compile, { cwd: project }));

  console.log(`${programs} programs from seed ${seed} on`);
  const start = performance.now();
  const sum = { programs: 0, failed: 0 };
  const take = ({ counts, failure }) => {
    sum.programs++;
    for (const key of Object.keys(columns)) sum[key] = (sum[key] ?? 0) + counts[key];
    if (failure !== undefined) {
      sum.failed++;
      console.log(failure);
    }
    if (sum.programs % Math.ceil(programs / 10) === 0)
      console.log(`${sum.programs} programs, ${sum.failed} failed`);
  };
  const work = Array.from({ length: workers }, (_, index) =>
    worker([seed + index, programs - index, workers], take),
  );
  const fine = (await Promise.all(work)).every((code) => code === 0);
  tell(sum, seed, (performance.now() - start) / 1000);
  return fine && sum.programs === programs && sum.failed === 0;
}

function positive(name, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name}: "${text}" is not a number from 1 on`);
  return Number(text);
}

/** Starts a worker and hands on what it tells; resolves to its exit code. */
function worker(numbers, take) {
  const soak = join(project, ".build/test/sources/soak.js");
  const child = spawn(process.execPath, [soak, ...numbers.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stopped.addEventListener("abort", () => child.kill(), { once: true });
  createInterface({ input: child.stdout }).on("line", (line) => take(JSON.parse(line)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function tell(sum, seed, seconds) {
  const titles = ["programs", ...Object.values(columns), "failed", "seed", "duration"];
  const counts = Object.keys(columns).map((key) => sum[key] ?? 0);
  const cells = [sum.programs, ...counts, sum.failed, seed, `${seconds.toFixed(0)} s`].map(String);
  const widths = titles.map((title, i) => Math.max(title.length, cells[i].length));
  for (const row of [titles, cells])
    console.log(row.map((text, i) => text.padStart(widths[i])).join("  "));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  if (!stopped.aborted) console.error(`npm run soak: ${error.message}`);
}
