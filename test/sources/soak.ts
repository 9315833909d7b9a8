/** One worker of `npm run soak`: walks through the programs of every STEP-th seed, and prints a line of JSON for each. */
import { shrunk, walk } from "./walk.ts";
import { programOf } from "./walk-program.ts";

const [first = NaN, count = NaN, step = NaN] = process.argv.slice(2).map(Number);

for (let seed = first; seed < first + count; seed += step) {
  const program = programOf(seed);
  const outcome = await walk(program);
  const failure = outcome.faults.length > 0 ? await shrunk(seed, program, outcome) : undefined;
  const { faults: _, ...counts } = outcome;
  console.log(JSON.stringify({ seed, counts, failure }));
}
