/** What the worst line costs each pattern: a sample of 64 KiB, in which one part comes again and again. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../ground.mjs";
import { Random } from "./random.mjs";
import { aim, printTable } from "./table.mjs";

const size = 65_536;
/** Lines that are tried on each pattern, and how often the worst one is tried again. */
const tries = 400;
const repeats = 200;
const shown = 3;
const most = 1;

/** Prints the figures: CPU time of one line, for the patterns that take longest. */
export async function measureHostile() {
  const { adapters } = await import(join(project, "dist/adapters/index.js"));
  const { entryOf } = await import(join(project, "dist/adapters/entry.js"));
  const random = new Random(1);
  const samples = join(project, "test/samples");
  const costs = readdirSync(samples).flatMap((file) => {
    const adapter = adapters.find(({ name }) => file === `${name}.log`);
    const messages = readFileSync(join(samples, file), "utf8")
      .split("\n")
      .flatMap((line) => entryOf(line)?.message ?? []);
    const lines = Array.from({ length: tries }, () => pumped(random, random.pick(messages)));
    return patternsOf(adapter).map((pattern) => ({ file, pattern, cpu: worst(pattern, lines) }));
  });
  const rows = costs.toSorted((a, b) => b.cpu - a.cpu).slice(0, shown);
  printTable(
    [`a hostile line of 64 KiB, ${costs.length} patterns`, "CPU ms", "aim"],
    rows.map(({ file, pattern, cpu }) => [
      `  ${file.replace(".log", "")}: ${pattern.source.slice(0, 40)}...`,
      cpu.toFixed(2),
      aim(`${most} ms`, cpu < most),
    ]),
  );
}

function patternsOf({ opening, logins, correlate }) {
  const { first = [], second = [], ends = [] } = correlate ?? {};
  return [...(opening === undefined ? [] : [opening]), ...logins, ...first, ...second, ...ends];
}

function pumped(random, message) {
  const from = random.below(message.length);
  const part = message.slice(from, from + 1 + random.below(60));
  return message.slice(0, from) + part.repeat(size / part.length) + message.slice(from);
}

/** Milliseconds for the line that takes longest. */
function worst(pattern, lines) {
  let slowest = lines[0];
  let longest = 0;
  for (const line of lines) {
    const took = cpuOf(() => pattern.test(line), 1);
    if (took < longest) continue;
    longest = took;
    slowest = line;
  }
  return cpuOf(() => pattern.test(slowest), repeats);
}

function cpuOf(work, times) {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / times;
}
