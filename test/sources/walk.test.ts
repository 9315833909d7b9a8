/** Random programs of what can happen to a log, judged line by line by a model: nothing is lost, nothing comes twice. */
import { expect, test } from "vitest";
import { shrunk, walk } from "./walk.ts";
import { lessons } from "./walk-lessons.ts";
import { programOf } from "./walk-program.ts";

/** The same programs in every run: new ones are for the soak. POPGATE_WALK=SEED[,COUNT] walks again through what failed. */
const [given = NaN, count = 400] = (process.env["POPGATE_WALK"] ?? "").split(",").map(Number);
const seed = given > 0 ? given : 1;

test(`${String(count)} programs from seed ${String(seed)} on`, { timeout: 300_000 }, async () => {
  console.log(`the walk begins with seed ${String(seed)}`);
  const sums = { lines: 0, inherent: 0, again: 0 };
  for (let index = 0; index < count; index++) {
    const program = programOf(seed + index);
    const outcome = await walk(program);
    if (outcome.faults.length > 0) expect.fail(await shrunk(seed + index, program, outcome));
    for (const key of ["lines", "inherent", "again"] as const) sums[key] += outcome[key];
  }
  if (count < 100) return;
  // A walk in which little is written, or in which much cannot be had, proves little.
  expect(sums.lines).toBeGreaterThan(20 * count);
  expect(sums.inherent).toBeLessThan(sums.lines / 5);
  expect(sums.again).toBeGreaterThan(0);
});

test.each(Object.entries(lessons))("%s", async (_, program) => {
  for (const hasty of [true, false]) {
    const { faults } = await walk({ ...program, hasty });
    expect(faults).toEqual([]);
  }
});
