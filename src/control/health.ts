/** Health in one word, and its reasons. Pure. */
import type { DriftStatus, Health, MapStatus, SourceStatus, Status } from "./control.ts";

interface Findings {
  /** Whether the logs are followed and every table was published once. */
  readonly ready: boolean;
  readonly withdrawn: boolean;
  readonly sources: readonly SourceStatus[];
  readonly maps: readonly MapStatus[];
  readonly drift: readonly DriftStatus[];
  /** A sentence for each table that this popgate cannot write, and must empty. */
  readonly unwritable: readonly string[];
  /** Why the audit is not written, in words. */
  readonly audit?: string | undefined;
}

/** Seconds: a source that has not come to its end for so long lags. */
const longestLag = 10;

/** Gives the word, and one sentence for each reason why it is not `healthy`. */
export function healthOf({ ready, withdrawn, sources, maps, drift, unwritable, audit }: Findings): {
  readonly health: Health;
  readonly reasons: readonly string[];
} {
  const faults = [
    ...unwritable,
    ...maps.flatMap(faultsOfMap),
    ...sources.flatMap(faultsOfSource),
    ...drift.map(
      ({ adapter, source, sign, count }) =>
        `${adapter} in ${source}: ${String(count)} ${sign}; has it changed its words?`,
    ),
    ...(audit === undefined ? [] : [audit]),
  ];
  if (withdrawn) {
    faults.unshift("told to withdraw: the tables stay empty until a reload or restart");
    return { health: "withdrawn", reasons: faults };
  }
  if (faults.length > 0) return { health: "unhealthy", reasons: faults };
  if (ready) return { health: "healthy", reasons: [] };
  return { health: "starting", reasons: ["what was written before the start is still read"] };
}

/** Gives a line for people: how many grants there are, and what ails it, if it is not just starting. */
export function summaryOf({
  health,
  grants,
  reasons,
}: Pick<Status, "health" | "grants" | "reasons">): string {
  const ails = health === "starting" ? [] : reasons;
  return [`${String(grants)} ${grants === 1 ? "grant" : "grants"}`, ...ails].join("; ");
}

function faultsOfMap({ table, configured, trouble, unseen }: MapStatus): string[] {
  const faults: string[] = [];
  if (trouble !== undefined) {
    const since = trouble.since === undefined ? "" : ` since ${trouble.since}`;
    const reason = trouble.reason.replace(`map ${table}: `, "");
    faults.push(`map ${table}: not written${since}: ${reason}`);
  }
  if (trouble?.overdue !== undefined) {
    faults.push(`map ${table}: it may hold clients whose time is over, since ${trouble.overdue}`);
  }
  if (trouble?.emptied === true) faults.push(`map ${table}: it was emptied, nobody may relay`);
  if (unseen !== undefined) faults.push(`map ${table}: ${unseen}`);
  if (!configured) faults.push(`map ${table}: no longer configured, and not empty yet`);
  return faults;
}

function faultsOfSource({ name, trouble, lag_seconds: lag }: SourceStatus): string[] {
  if (trouble !== undefined) return [`source ${name}: ${trouble}`];
  return lag < longestLag ? [] : [`source ${name}: its end was not reached for ${String(lag)} s`];
}
