/** popgate and its map tools are killed at random moments under load: every table stays one whole version, and all heals. */

import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { Crowd } from "../lab/crowd.ts";
import { Lab } from "../lab/lab.ts";
import { Popgate } from "../lab/popgate.ts";
import { Postfix } from "../lab/postfix.ts";
import { childrenOf, lives } from "../lab/process.ts";
import { type Table, tablesHere } from "../lab/table.ts";
import { until } from "../lab/wait.ts";
import { Judge } from "./judge.ts";

interface Plan {
  /** The same kills for the same seed, but the machine decides what they hit. */
  readonly seed: number;
  readonly kills: number;
  /** Live grants. */
  readonly size: number;
}

interface Outcome {
  /** How many hit popgate, popgate while it started, and a map tool. */
  readonly hit: { popgate: number; start: number; tool: number };
  /** How many left a build that popgate had begun. */
  readonly strays: number;
  /** Milliseconds until the tables were what they had to be again, at most. */
  readonly longest: number;
}

interface Blow {
  readonly victim: "popgate" | "tool";
  /** At any moment, or while a map is being built. */
  readonly moment: "any" | "building";
  /** From 0 up to 1: how late in it. */
  readonly late: number;
  /** Which of several tools. */
  readonly which: number;
  /** What is done next about a popgate that is dead; `again`: its start is killed, too. */
  readonly next: "start" | "withdraw" | "again";
}

const blows = fc.record<Blow>({
  victim: fc.constantFrom("popgate", "popgate", "tool"),
  moment: fc.constantFrom("any", "building", "building"),
  late: fc.nat(1000).map((thousandths) => thousandths / 1000),
  which: fc.nat(10),
  next: fc.constantFrom("start", "withdraw", "again"),
});

/** Milliseconds: what is over while popgate starts must never be all that it knew. */
const ttl = 20_000;

/** Deals out so many kills. Rejects with the seed and the kill that left what must not be. */
export async function kills({ seed, kills: times, size }: Plan): Promise<Outcome> {
  const lab = await Lab.open();
  try {
    const campaign = await Campaign.open(lab, size);
    const chosen = fc.sample(fc.noBias(blows), { seed, numRuns: times });
    for (const [index, blow] of chosen.entries()) {
      try {
        await campaign.deal(blow);
      } catch (error) {
        const which = `seed ${seed}, kill ${index + 1} of ${times} (${JSON.stringify(blow)})`;
        throw new Error(`${which}: ${String(error)}\n${campaign.said()}`, { cause: error });
      }
    }
    return await campaign.end();
  } finally {
    await lab.close();
  }
}

class Campaign {
  readonly #lab: Lab;
  readonly #popgate: Popgate;
  readonly #judge: Judge;
  readonly #crowd: Crowd;
  /** Milliseconds within which a map is built and renamed, more or less. */
  readonly #building: number;
  readonly #outcome = { hit: { popgate: 0, start: 0, tool: 0 }, strays: 0, longest: 0 };

  private constructor(lab: Lab, tables: readonly Table[], size: number) {
    this.#lab = lab;
    this.#popgate = new Popgate(lab);
    this.#crowd = new Crowd({ log: lab.path("mail.log"), ttl, size });
    this.#judge = new Judge(tables, this.#crowd);
    this.#building = 20 + size / 100;
  }

  static async open(lab: Lab, size: number): Promise<Campaign> {
    const postfix = new Postfix(lab, []);
    await postfix.configure();
    const tables = tablesHere(lab, "maps", postfix.config);
    const campaign = new Campaign(lab, tables, size);
    await campaign.#popgate.configure({
      ttl: `${ttl / 1000}s`,
      source: [{ path: lab.path("mail.log") }],
      map: tables.map(({ map }) => map),
      guard: { max_grants: 10 * size },
    });
    await lab.start(campaign.#crowd);
    await lab.start(campaign.#popgate);
    return campaign;
  }

  async deal(blow: Blow): Promise<void> {
    if (blow.victim === "tool") await this.#killTool(blow);
    else await this.#killPopgate(blow);
  }

  /** The last stop empties all. */
  async end(): Promise<Outcome> {
    await this.#crowd.stop();
    await this.#popgate.stop();
    await this.#judge.empty();
    return this.#outcome;
  }

  said(): string {
    const lines = this.#popgate.lines.filter((line) => !/^(?:granted|expired) /.test(line));
    return lines.slice(-20).join("\n");
  }

  async #killTool({ late, which }: Blow): Promise<void> {
    const { pid } = this.#popgate;
    const tools = await until("a map tool", () => filled(toolsOf(pid)), { every: 1 });
    const tool = tools[which % tools.length] ?? 0;
    await pause(late * 10);
    if (killed(tool)) this.#outcome.hit.tool++;
    await this.#judge.whole();
    this.#outcome.longest = Math.max(this.#outcome.longest, await this.#judge.current());
    if (this.#popgate.pid !== pid || !lives(pid)) throw new Error("popgate has ended");
  }

  async #killPopgate({ moment, late, next }: Blow): Promise<void> {
    const { pid } = this.#popgate;
    if (moment === "any") {
      await pause(late * 500);
    } else {
      await until("a map tool", () => filled(toolsOf(pid)), { every: 1 });
      await pause(late * this.#building);
    }
    await this.#kill();
    this.#outcome.hit.popgate++;
    if (next === "again") {
      const ready = this.#popgate.start().catch(() => {}); // it never will be, if it is killed in time
      await pause(late * 400);
      await this.#kill();
      await ready;
      this.#outcome.hit.start++;
    }
    if (next === "withdraw") {
      const left = this.#judge.builds();
      const { code, stderr } = await this.#popgate.command("withdraw");
      if (code !== 0) throw new Error(`popgate withdraw: exit ${code}\n${stderr}`);
      await this.#judge.empty();
      await this.#cleared(left);
    }
    const left = this.#judge.builds();
    this.#outcome.strays += left.length;
    const demand = { over: Date.now(), newest: this.#crowd.count - 1 };
    await this.#popgate.start();
    await this.#judge.tables(() => demand);
    await this.#cleared(left);
  }

  /** Kills popgate and all that it left running is waited for: whatever a tool does at last, the tables are whole then, too. */
  async #kill(): Promise<void> {
    const tools = toolsOf(this.#popgate.pid);
    this.#popgate.signal("SIGKILL");
    await this.#popgate.ended;
    await this.#judge.whole();
    // Every other time the next popgate meets the tools of this one.
    if (this.#outcome.hit.popgate % 2 === 0) return;
    await until("the end of what it left", () => !tools.some(lives));
    await this.#judge.whole();
  }

  /** Nothing is left of these builds, nor of a state that was being written. */
  async #cleared(builds: readonly string[]): Promise<void> {
    const bodies = builds.map((name) => name.replace(/\..{0,8}$/, ""));
    const left = (): string[] =>
      this.#judge.builds().filter((name) => bodies.some((body) => name.includes(body)));
    const state = this.#lab.path("popgate", "state", "state.jsonl.new");
    const gone = (): boolean => left().length === 0 && !existsSync(state);
    await until("the builds of the dead to be gone", gone).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${left().join(" ")}`, { cause: error });
    });
  }
}

function toolsOf(pid: number): number[] {
  return childrenOf(pid, ["postmap", "makemap"]);
}

function filled<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // it has just ended by itself
  }
}
