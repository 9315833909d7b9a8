/** Walks through a random program with a real follower on real files, and has it judged by the model. */
import type { Log } from "../../src/log.ts";
import type { Mark } from "../../src/model.ts";
import { FileSource } from "../../src/sources/file.ts";
import { ManualClock } from "../manual-clock.ts";
import { unprivileged } from "../unprivileged.ts";
import { Judge } from "./walk-judge.ts";
import type { Outcome } from "./walk-judge.ts";
import { shrink } from "./walk-program.ts";
import type { Program, Step } from "./walk-program.ts";
import { World } from "./walk-world.ts";
import { holding } from "./wanted.ts";

/** The wall clock is the files' own; the other one stands still, or goes a bit further whenever it is asked. */
class WalkClock extends ManualClock {
  readonly #pace: number;
  #ahead = 0;

  constructor(pace: number) {
    super();
    this.#pace = pace;
  }

  override now(): number {
    return Date.now();
  }

  override monotonic(): number {
    this.#ahead += this.#pace;
    return super.monotonic() + this.#ahead;
  }
}

interface Run {
  readonly source: FileSource;
  readonly started: Promise<void>;
  dead: boolean;
}

/** Real time, ms. */
const hanging = 10_000;

class Walk {
  readonly #clock: WalkClock;
  readonly #world: World;
  readonly #judge: Judge;
  #run: Run | undefined;
  #saved: readonly Mark[] | undefined;

  constructor(program: Program, directory: string) {
    this.#clock = new WalkClock(program.hasty ? 3 : 0);
    this.#world = new World(program, directory, () => this.#clock.monotonic());
    this.#judge = new Judge(this.#world, () => this.#run?.source.progress()[0]);
  }

  async through(steps: readonly Step[]): Promise<Outcome> {
    const judge = this.#judge;
    try {
      judge.where = "start";
      this.#start();
      for (const [index, step] of steps.entries()) {
        judge.where = `step ${String(index)} (${step.do})`;
        await this.#step(step);
        judge.doom();
      }
      judge.where = "end";
      this.#world.step({ do: "permit" });
      this.#world.step({ do: "create" });
      if (this.#run === undefined) this.#start();
      await this.#settle();
      await this.#stop();
    } catch (thrown) {
      judge.fault(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
      await this.#kill();
    } finally {
      this.#world.close();
    }
    return judge.outcome();
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case "nudge":
        return await this.#nudge(step.turns);
      case "turn":
        return await this.#settle();
      case "hush":
        return await this.#hush();
      case "save":
        return this.#save();
      case "stop":
        return await this.#stop();
      case "kill":
        return await this.#kill();
      case "start":
        if (this.#run === undefined) this.#start();
        if (step.wait) await this.#run?.started;
        return this.#judge.works();
      case "truncate":
        this.#judge.truncating();
        return this.#world.step(step);
      case "unlink":
        this.#judge.unlinking();
        return this.#world.step(step);
      default:
        return this.#world.step(step);
    }
  }

  #start(): void {
    const marks = this.#saved;
    const judge = this.#judge;
    const log: Log = {
      info: () => undefined,
      warning: () => undefined,
      error: (event, fields) => judge.fault(`${event} ${JSON.stringify(fields)}`),
    };
    const source = new FileSource({
      path: this.#world.path,
      wants: holding("#"),
      clock: this.#clock,
      log,
      since: 0,
      checkpoint: marks && (JSON.parse(JSON.stringify(marks)) as readonly Mark[]),
      deliver: ({ bytes }) => {
        if (!run.dead) judge.delivered(bytes);
      },
    });
    judge.started();
    const run: Run = { source, started: source.start(), dead: false };
    this.#run = run;
  }

  async #nudge(count: number): Promise<void> {
    await turns(count);
    if (this.#run !== undefined) this.#judge.works();
  }

  /** Until it waits for something to happen. */
  async #rest(): Promise<void> {
    const end = performance.now() + hanging;
    while (this.#clock.armed === 0) {
      if (performance.now() > end) throw new Error("the follower hangs");
      await turns(1);
    }
  }

  async #look(): Promise<void> {
    await this.#rest();
    while (this.#clock.armed > 0) this.#clock.advance(250);
    await this.#rest();
  }

  /** Two looks are enough for everything, unless something goes on. */
  async #settle(): Promise<void> {
    if (this.#run === undefined) return;
    const { source, started } = this.#run;
    await started;
    this.#judge.works();
    for (let looks = 0; looks < 2 || (looks < 12 && this.#judge.waits); looks++) await this.#look();
    this.#judge.settled(source.checkpoint());
  }

  #save(): void {
    if (this.#run === undefined) return;
    this.#saved = this.#run.source.checkpoint();
    this.#judge.saved(this.#saved);
  }

  async #stop(): Promise<void> {
    if (this.#run === undefined) return;
    await this.#run.source.stop();
    this.#judge.works();
    this.#save();
    this.#judge.stopped();
    this.#run = undefined;
  }

  async #kill(): Promise<void> {
    if (this.#run === undefined) return;
    this.#run.dead = true;
    await this.#run.source.stop();
    this.#judge.killed();
    this.#run = undefined;
  }

  async #hush(): Promise<void> {
    if (this.#run === undefined) return;
    await this.#settle();
    for (let second = 0; second < 11; second++) {
      this.#clock.advance(1000);
      await this.#rest();
    }
    await this.#settle();
    this.#judge.hushed();
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Walks through one program. */
export async function walk(program: Program): Promise<Outcome> {
  return await unprivileged("popgate-walk-", (directory) =>
    new Walk(program, directory).through(program.steps),
  );
}

/** What to tell of a program that failed: its seed, and the smallest program that was found to fail in the same way. */
export async function shrunk(seed: number, program: Program, { faults }: Outcome): Promise<string> {
  const kind = kindOf(faults[0]);
  const fails = async (smaller: Program) =>
    (await walk(smaller)).faults.some((one) => kindOf(one) === kind);
  const { steps, ...log } = await shrink(program, fails);
  return [
    `seed ${String(seed)}: ${faults.slice(0, 3).join("; ")}`,
    `shrunk to ${JSON.stringify(log)}`,
    ...steps.map((step, index) => `${String(index).padStart(4)} ${JSON.stringify(step)}`),
  ].join("\n");
}

/** What a fault says, but for the step, the line and the paths. */
function kindOf(fault = ""): string {
  return fault
    .replace(/^.*?: /, "")
    .replaceAll(/\d+/g, "")
    .slice(0, 12);
}
