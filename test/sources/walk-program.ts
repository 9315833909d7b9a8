/** Random programs of what writers, rotations, administrators and restarts do to a log: one for each seed. */
import fc from "fast-check";

/** One step. What it has nothing to do with at the moment it leaves alone, so that any list of steps is a program. */
export type Step =
  /** A writer (the numbers choose among those that are there) appends whole lines; `long` ones may even be too long. */
  | { readonly do: "write"; readonly by: number; readonly lines: number; readonly long?: true }
  /** A writer appends a line up to some byte, also inside a character; `finish` writes the rest. */
  | { readonly do: "half"; readonly by: number; readonly cut: number }
  | { readonly do: "finish"; readonly by: number }
  /** One more writer, which makes the log if it is missing; without O_APPEND it leaves a hole behind a truncation. */
  | { readonly do: "open"; readonly hole?: true }
  /** All writers open the log anew, as after SIGHUP. */
  | { readonly do: "reopen" }
  /** The log is renamed to its first rotated name, and the older ones before it. */
  | { readonly do: "shift" }
  | { readonly do: "create" }
  /** The log is copied to its first rotated name, what copytruncate does next is `truncate`; `slow`: half of it is there. */
  | { readonly do: "copy"; readonly slow?: true }
  | { readonly do: "truncate" }
  | { readonly do: "unlink" }
  /** A hard link to the log gets the first rotated name; what follows is `unlink`. */
  | { readonly do: "link" }
  /** A link as log only: it is made to lead to a new file. */
  | { readonly do: "swap" }
  /** A rotated file is compressed, up to a half of its `.gz`; `packed` does the rest. */
  | { readonly do: "pack"; readonly which: number }
  | { readonly do: "packed" }
  /** The oldest rotated file is removed. */
  | { readonly do: "remove" }
  /** The follower may not open the log any more, or not look into its directory. */
  | { readonly do: "deny"; readonly what: "log" | "directory" }
  /** It may again. */
  | { readonly do: "permit" }
  /** The follower gets so many turns of the loop. */
  | { readonly do: "nudge"; readonly turns: number }
  /** The follower gets all the time that it needs. */
  | { readonly do: "turn" }
  /** So long a silence that old files are closed. */
  | { readonly do: "hush" }
  /** The state is saved. */
  | { readonly do: "save" }
  | { readonly do: "stop" }
  /** The follower dies: the next one starts from what was saved last. */
  | { readonly do: "kill" }
  /** `wait`: until it has caught up. */
  | { readonly do: "start"; readonly wait: boolean };

export interface Program {
  /** How rotated files are named: `.1` or `-20260101`; or the log is a link to a file that bears the date. */
  readonly style: "number" | "date" | "swap";
  /** The log is a link into another directory, where it is rotated. */
  readonly linked: boolean;
  /** The follower lets the loop go after each chunk. */
  readonly hasty: boolean;
  readonly steps: readonly Step[];
}

const by = fc.nat(5);
const write = fc.record({
  do: fc.constant("write" as const),
  by,
  lines: fc.oneof({ weight: 6, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.nat(60) }),
});
const writeLong = fc.record({
  do: fc.constant("write" as const),
  by,
  lines: fc.integer({ min: 1, max: 6 }),
  long: fc.constant(true as const),
});
const half = fc.record({ do: fc.constant("half" as const), by, cut: fc.nat(60) });
const finish = fc.record({ do: fc.constant("finish" as const), by });
const nudge = fc.record({
  do: fc.constant("nudge" as const),
  turns: fc.integer({ min: 1, max: 8 }),
});

function just(...steps: readonly Step[]): fc.Arbitrary<readonly Step[]> {
  return fc.constant(steps);
}

/** What may stand between two steps of a rotation: nothing, some writing, or a turn. */
const between: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 4, arbitrary: just() },
  { weight: 2, arbitrary: write.map((step) => [step]) },
  { weight: 1, arbitrary: half.map((step) => [step]) },
  { weight: 1, arbitrary: finish.map((step) => [step]) },
  { weight: 2, arbitrary: nudge.map((step) => [step]) },
  { weight: 1, arbitrary: just({ do: "turn" }) },
  { weight: 1, arbitrary: just({ do: "save" }) },
);

/** Steps with something between each two of them. */
function spaced(...steps: readonly Step[]): fc.Arbitrary<readonly Step[]> {
  return fc
    .tuple(...steps.map((step) => between.map((after) => [step, ...after])))
    .map((all) => all.flat());
}

/** A truncation between the two halves of a line. */
function cutInTwo(
  first: Step,
  before: readonly Step[],
  after: readonly Step[],
  second: Step,
): readonly Step[] {
  return [first, ...before, { do: "truncate" }, ...after, second];
}

const pack = fc.nat(3).map((which): Step => ({ do: "pack", which }));

/** What happens to a log, as a whole. */
const scene: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 24, arbitrary: write.map((step) => [step]) },
  { weight: 1, arbitrary: writeLong.map((step) => [step]) },
  { weight: 3, arbitrary: fc.tuple(half, between, finish).map(([a, b, c]) => [a, ...b, c]) },
  { weight: 2, arbitrary: half.map((step) => [step]) },
  {
    weight: 3,
    arbitrary: fc.tuple(half, between, between, finish).map((steps) => cutInTwo(...steps)),
  },
  { weight: 2, arbitrary: just({ do: "open" }) },
  { weight: 1, arbitrary: just({ do: "open", hole: true }) },
  { weight: 2, arbitrary: just({ do: "reopen" }) },
  { weight: 8, arbitrary: spaced({ do: "shift" }, { do: "create" }) },
  { weight: 3, arbitrary: spaced({ do: "shift" }, { do: "create" }, { do: "reopen" }) },
  { weight: 2, arbitrary: spaced({ do: "shift" }, { do: "reopen" }) },
  { weight: 7, arbitrary: spaced({ do: "copy" }, { do: "truncate" }) },
  { weight: 2, arbitrary: just({ do: "truncate" }) },
  { weight: 3, arbitrary: spaced({ do: "copy", slow: true }, { do: "truncate" }) },
  { weight: 1, arbitrary: just({ do: "copy" }) },
  { weight: 2, arbitrary: spaced({ do: "deny", what: "log" }, { do: "permit" }) },
  { weight: 1, arbitrary: spaced({ do: "deny", what: "directory" }, { do: "permit" }) },
  { weight: 1, arbitrary: just({ do: "deny", what: "log" }) },
  { weight: 1, arbitrary: just({ do: "deny", what: "directory" }) },
  { weight: 2, arbitrary: just({ do: "permit" }) },
  { weight: 2, arbitrary: spaced({ do: "unlink" }, { do: "reopen" }) },
  { weight: 2, arbitrary: spaced({ do: "link" }, { do: "unlink" }, { do: "create" }) },
  { weight: 3, arbitrary: just({ do: "swap" }) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(pack, between)
      .map(([step, after]) => [step, ...after, { do: "packed" } as const]),
  },
  { weight: 2, arbitrary: pack.map((step) => [step]) },
  { weight: 2, arbitrary: just({ do: "remove" }) },
  { weight: 14, arbitrary: just({ do: "turn" }) },
  { weight: 8, arbitrary: nudge.map((step) => [step]) },
  { weight: 1, arbitrary: just({ do: "hush" }) },
  { weight: 6, arbitrary: just({ do: "save" }) },
  { weight: 3, arbitrary: just({ do: "stop" }) },
  { weight: 3, arbitrary: just({ do: "kill" }) },
  { weight: 6, arbitrary: fc.boolean().map((wait) => [{ do: "start", wait } as const]) },
  { weight: 2, arbitrary: just({ do: "stop" }, { do: "start", wait: true }) },
  { weight: 2, arbitrary: just({ do: "kill" }, { do: "start", wait: true }) },
);

const program: fc.Arbitrary<Program> = fc.record({
  style: fc.oneof(
    { weight: 6, arbitrary: fc.constant("number" as const) },
    { weight: 3, arbitrary: fc.constant("date" as const) },
    { weight: 2, arbitrary: fc.constant("swap" as const) },
  ),
  linked: fc.nat(7).map((number) => number === 0),
  hasty: fc.boolean(),
  steps: fc
    .array(scene, { minLength: 4, maxLength: 28, size: "max" })
    .map((scenes) => scenes.flat()),
});

/** The program of a seed. */
export function programOf(seed: number): Program {
  const [made] = fc.sample(fc.noBias(program), { seed, numRuns: 1 });
  if (made === undefined) throw new Error(`no program for seed ${String(seed)}`);
  return made;
}

/** Tries fewer and fewer steps as long as it `fails`; the smallest program that was found to fail. */
export async function shrink(
  whole: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let least = whole;
  for (
    let length = Math.ceil(least.steps.length / 2);
    length > 0;
    length = Math.floor(length / 2)
  ) {
    for (let again = true; again;) {
      again = false;
      for (let from = 0; from < least.steps.length;) {
        const steps = least.steps.toSpliced(from, length);
        if (await fails({ ...least, steps })) {
          least = { ...least, steps };
          again = true;
        } else {
          from += length;
        }
      }
    }
  }
  return least;
}
