/** Further logins under a grant, gathered hour by hour: how often a client and user came. Pure. */
import type { AuditEvent } from "../audit-event.ts";
import type { Recorded } from "./line.ts";

const hour = 3_600_000;
/** So many clients and users are remembered at a time; what comes on top is told one by one. */
const mostKept = 100_000;

/**
 * A line for each login would make the audit as long as the log itself. To tell the number at the end of a grant would be
 * less, but who logs in every few minutes keeps one grant for months: those on whom a report is for would be seen last, and no
 * day of theirs be told from another. So each client and user gets one line an hour at most, however often they come; a
 * crash loses the count of that hour.
 */
export class Visits {
  #hour = -Infinity;
  readonly #kept = new Map<string, Recorded & { readonly logins: number }>();

  /** Whether there is something that was not told yet. */
  get waiting(): boolean {
    return this.#kept.size > 0;
  }

  /** Takes a renewal at `now`, wall clock ms since 1970. Gives what is to be told already. */
  take(event: AuditEvent, now: number): readonly Recorded[] {
    const over = this.over(now);
    const key = `${event.client ?? ""} ${event.user ?? ""}`;
    const kept = this.#kept.get(key);
    const recorded = { ...event, time: now, logins: (kept?.logins ?? 0) + 1 };
    if (kept === undefined && this.#kept.size >= mostKept) return [...over, recorded];
    this.#kept.set(key, recorded);
    return over;
  }

  /** Gives those of the hours before the one that `now` lies in. */
  over(now: number): readonly Recorded[] {
    const current = Math.floor(now / hour);
    if (current === this.#hour) return [];
    this.#hour = current;
    return this.all();
  }

  /** Gives what was not told yet; it is no longer kept. */
  all(): readonly Recorded[] {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    return all;
  }
}
