/** Former tables that this version cannot write: they stay remembered, and are told, since what they hold stays open. */
import { PublishError, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { createMap } from "./index.ts";
import type { AccessMap, MapSettings } from "./map.ts";

/** Each with a sentence for people. */
export class UnwritableTables {
  readonly #log: Log;
  readonly #all: { readonly settings: MapSettings; readonly fault: string }[] = [];

  constructor(log: Log) {
    this.#log = log;
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
        const { mta, table } = settings;
        const reason = reasonOf(error);
        const fault = `map ${table}: this popgate cannot empty what another one wrote for ${mta}; empty it by hand: ${reason}`;
        this.#all.push({ settings, fault });
        this.#log.error("a former table cannot be emptied", { table, reason });
        return [];
      }
    });
  }

  /** @throws PublishError if there are any */
  requireNone(): void {
    if (this.#all.length > 0) throw new PublishError(this.faults.join("; "));
  }
}
