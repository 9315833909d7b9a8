/** Whether a live index has more than one name, which blinds who reads it. */
import type { Stats } from "node:fs";
import type { Log } from "../log.ts";
import type { AccessMap } from "./map.ts";

interface LinksParts {
  readonly map: AccessMap;
  readonly log: Log;
}

/**
 * The hard links to one index. smtpd knows a replaced table by its link count of zero: a further name keeps it at the old one
 * (dict_changed_name in src/util/dict.c).
 */
export class Links {
  readonly #parts: LinksParts;
  #fault: string | undefined;

  constructor(parts: LinksParts) {
    this.#parts = parts;
  }

  /** Why running MTAs may not see a change; undefined if they do. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Takes the status of the live index, if there is one, and tells what is new. */
  judge(index: Stats | undefined): void {
    const { map, log } = this.#parts;
    const live = map.index?.(map.source).live ?? map.source;
    const fault =
      index !== undefined && index.nlink > 1
        ? `${live} is hard-linked (${String(index.nlink)} links): running smtpd processes cannot see changes; remove the other links and reload the MTA`
        : undefined;
    if (fault !== this.#fault) {
      if (fault === undefined) log.info("no hard link any more", { table: map.name });
      else log.error("changes are not seen", { table: map.name, reason: fault });
    }
    this.#fault = fault;
  }
}
