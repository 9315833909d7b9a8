/** `npm run soak [-- [--programs 10000] [--cases 1000000] [--kills 500] [--sessions 30] [--seed N] [--workers 2]]`: what npm test tries, many times over. */

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { asking, killing, withDaemons } from "./campaigns.mjs";
import { must, run, stopped } from "./command.mjs";
import { provideDaemons } from "./daemons.mjs";
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

/** What is done, and how much of it where nothing is named: programs, cases, kills, and seconds at each table of each size. */
const usual = { programs: 10_000, cases: 1_000_000, kills: 500, sessions: 30 };

/** Those alone that are named, or else all. */
async function main() {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(usual).map((name) => [name, { type: "string" }])),
      seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1e9)) },
      workers: { type: "string", default: String(availableParallelism()) },
    },
  });
  const named = Object.keys(usual).filter((name) => values[name] !== undefined);
  const all = named.length === 0;
  const wanted = all
    ? usual
    : Object.fromEntries(named.map((name) => [name, positive(name, values[name])]));
  const seed = positive("seed", values.seed);
  await prepareGround();
  const fine = [];
  if (wanted.programs !== undefined) fine.push(await walks(wanted.programs, values));
  if (wanted.cases !== undefined) fine.push(await forgeries(wanted.cases));
  if (wanted.kills !== undefined || wanted.sessions !== undefined) {
    const daemons = await provideDaemons({ intoHost: false });
    const lacking = daemons.lacking ?? (daemons.namespaces ? undefined : "no CAP_SYS_ADMIN");
    if (lacking === undefined) fine.push(await campaigns(wanted, seed, daemons));
    else if (all) console.log(`kills and sessions were skipped: ${lacking}`);
    else throw new Error(`kills and sessions need real daemons: ${lacking}`);
  }
  return fine.every(Boolean) ? 0 : 1;
}

/** What needs real daemons. */
async function campaigns({ kills, sessions }, seed, daemons) {
  await compile();
  return await withDaemons(daemons, async (campaign) => {
    const fine = [];
    if (kills !== undefined) fine.push(await killing(campaign, kills, seed));
    if (sessions !== undefined) fine.push(await asking(campaign, sessions));
    return fine.every(Boolean);
  });
}

async function compile() {
  const tsc = join(project, "node_modules/.bin/tsc");
  const argv = [tsc, "-p", "test/tsconfig.json", "--noCheck"];
  await step("soak", () => must(argv, { cwd: project }));
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
  const seed = Number(options.seed);
  const workers = positive("workers", options.workers);
  await compile();
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
