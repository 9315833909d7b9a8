/** Former tables that this version cannot write: they stay remembered, and are told, until nothing is left of them. */
import { readdirSync } from "node:fs";
import { basename, dirname, isAbsolute } from "node:path";
import { codeOf, PublishError, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { createMap } from "./index.ts";
import type { AccessMap, MapSettings } from "./map.ts";

/** What they hold stays open; each has a sentence that tells people what to do about it. */
export class UnwritableTables {
  readonly #log: Log;
  readonly #ours: () => ReadonlySet<string>;
  #all: { readonly settings: MapSettings; readonly fault: string }[] = [];

  /** `ours` gives the files of the tables that can be written: they may stand beside such a one's. */
  constructor(log: Log, ours: () => ReadonlySet<string>) {
    this.#log = log;
    this.#ours = ours;
  }

  get settings(): readonly MapSettings[] {
    return this.#all.map(({ settings }) => settings);
  }

  get faults(): readonly string[] {
    return this.#all.map(({ fault }) => fault);
  }

  /** Gives the maps of these settings, but for those that it keeps. */
  sort(published: readonly MapSettings[]): AccessMap[] {
    return published.flatMap((settings) => {
      try {
        return [createMap(settings)];
      } catch (error) {
        const reason = reasonOf(error);
        this.#all.push({ settings, fault: faultOf(settings, reason) });
        this.#log.error("a former table cannot be emptied", { table: settings.table, reason });
        return [];
      }
    });
  }

  /** Forgets those of which no file is left. Gives whether there were any. */
  letGo(): boolean {
    if (this.#all.length === 0) return false;
    const ours = this.#ours();
    const left = this.#all.filter(({ settings }) => stands(pathOf(settings), ours));
    const gone = this.#all.filter((one) => !left.includes(one));
    for (const { settings } of gone) {
      this.#log.info("a former table is gone, and forgotten", { table: settings.table });
    }
    this.#all = left;
    return gone.length > 0;
  }

  /** @throws PublishError if there are any */
  requireNone(): void {
    this.letGo();
    if (this.#all.length > 0) throw new PublishError(this.faults.join("; "));
  }
}

function faultOf(settings: MapSettings, reason: string): string {
  const { mta, table } = settings;
  const path = pathOf(settings);
  const remedy =
    path === undefined
      ? "empty it by hand, stop popgate, and take it out of the tables in state.jsonl"
      : `take it out of the MTA's config, then remove ${path} and the files beside it whose names begin with "${basename(path)}."; popgate forgets it when they are gone`;
  return `map ${table}: this popgate cannot empty what another one wrote for ${mta}; ${remedy}: ${reason}`;
}

/** Where its files are, as far as its name tells. */
function pathOf({ table }: MapSettings): string | undefined {
  const path = table.startsWith("/") ? table : table.slice(table.indexOf(":") + 1);
  return isAbsolute(path) && basename(path) !== "" ? path : undefined;
}

/** What cannot be looked at may be there. */
function stands(path: string | undefined, ours: ReadonlySet<string>): boolean {
  if (path === undefined) return true;
  const directory = dirname(path);
  const name = basename(path);
  try {
    return readdirSync(directory).some(
      (one) => (one === name || one.startsWith(`${name}.`)) && !ours.has(`${directory}/${one}`),
    );
  } catch (error) {
    return codeOf(error) !== "ENOENT";
  }
}
