/** Judges tables that popgate writes while a crowd comes and goes. */

import { readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Crowd } from "../lab/crowd.ts";
import type { Table } from "../lab/table.ts";
import { until } from "../lab/wait.ts";

interface Demand {
  /** Milliseconds since 1970: no grant that was over by then is in it. */
  readonly over: number;
  /** The client with this number is in it, or one that came later. */
  readonly newest?: number;
}

/** Milliseconds by which a grant may be over in a table that was built meanwhile, and for everything to be well again. */
const slack = 3000;
const patience = 60_000;

/** All tables must be right, or it rejects with what is wrong. */
export class Judge {
  readonly #tables: readonly Table[];
  readonly #crowd: Crowd;

  constructor(tables: readonly Table[], crowd: Crowd) {
    this.#tables = tables;
    this.#crowd = crowd;
  }

  /** Each can be read to its end, and holds the grants of one moment. */
  async tables(demand: (table: Table) => Demand): Promise<void> {
    const faults = await this.#faults(demand);
    if (faults.length > 0) throw new Error(faults.join("; "));
  }

  /** The same, and that moment was not long before the table was written. */
  whole(): Promise<void> {
    // The time of the rename, which nobody can set.
    return this.tables(({ live }) => ({ over: statSync(live).ctimeMs - slack }));
  }

  /** Waits until everybody who has logged in by now is in each, and nobody whose time is over by now; the milliseconds that it took. */
  async current(): Promise<number> {
    const demand = { over: Date.now(), newest: this.#crowd.count - 1 };
    const began = performance.now();
    let faults: string[] = [];
    const look = async (): Promise<boolean> => {
      faults = await this.#faults(() => demand);
      return faults.length === 0;
    };
    try {
      await until("all tables to be current", look, { within: patience, every: 50 });
    } catch (error) {
      throw new Error(`${String(error)}: ${faults.join("; ")}`, { cause: error });
    }
    return performance.now() - began;
  }

  /** Each is there, and nobody is in it. */
  async empty(): Promise<void> {
    for (const { name, keys } of this.#tables) {
      const left = await keys();
      if (left.length > 0) throw new Error(`${name} holds ${left.length} clients, not none`);
    }
  }

  /** What stands beside the tables that is none of them, nor a lock, nor an empty map that stands ready: builds, under names that none ever has again. */
  builds(): string[] {
    const own = new Set(
      this.#tables.flatMap(({ map, live }) => [
        basename(live),
        basename(map.table),
        `.${basename(map.table)}.popgate-lock`,
      ]),
    );
    const directories = new Set(this.#tables.map(({ live }) => dirname(live)));
    return [...directories]
      .flatMap((directory) => readdirSync(directory))
      .filter((name) => !own.has(name) && !/\.popgate-empty-[0-9a-f]{8}(?:\.\w+)?$/.test(name));
  }

  async #faults(demand: (table: Table) => Demand): Promise<string[]> {
    const faults = await Promise.all(
      this.#tables.map(async (table) => {
        const demanded = demand(table);
        const fault = this.#crowd.faultOf(await table.keys(), demanded);
        return fault === undefined ? [] : [`${table.name}: ${fault}`];
      }),
    );
    return faults.flat();
  }
}
