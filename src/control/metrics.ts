/** The metrics of a running popgate, as Prometheus reads them: all but one are read from its status when somebody asks. */
import type { Status } from "./control.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | undefined];

interface Family {
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** What has no value is left out. */
  readonly of: (status: Status) => readonly Sample[];
}

const families: Readonly<Record<string, Family>> = {
  popgate_build_info: {
    type: "gauge",
    help: "Always 1; the labels tell the versions.",
    of: ({ popgate, node }) => [[{ version: popgate, node }, 1]],
  },
  popgate_healthy: {
    type: "gauge",
    help: "1 if `popgate status` says healthy, else 0.",
    of: ({ health }) => one(health === "healthy" ? 1 : 0),
  },
  popgate_start_time_seconds: {
    type: "gauge",
    help: "When popgate started, in seconds since 1970.",
    of: ({ started }) => one(secondsOf(started)),
  },
  popgate_live_grants: {
    type: "gauge",
    help: "Clients that may relay now.",
    of: ({ grants }) => one(grants),
  },
  popgate_max_grants: {
    type: "gauge",
    help: "guard.max_grants: at so many a newcomer is refused.",
    of: ({ max_grants: most }) => one(most),
  },
  popgate_last_login_timestamp_seconds: {
    type: "gauge",
    help: "When the latest login was read, in seconds since 1970.",
    of: ({ last_login: last }) => one(secondsOf(last)),
  },
  popgate_logins_total: {
    type: "counter",
    help: "Logins that were read, whatever became of them.",
    of: ({ counters }) => each("adapter", counters.logins),
  },
  popgate_late_logins_total: {
    type: "counter",
    help: "Logins whose time was over when they were read.",
    of: ({ counters }) => one(counters.late),
  },
  popgate_grants_total: {
    type: "counter",
    help: "Clients that were granted.",
    of: ({ counters }) => one(counters.granted),
  },
  popgate_restored_total: {
    type: "counter",
    help: "Grants of before the start. Those granted and restored less those expired and revoked are the live ones.",
    of: ({ counters }) => one(counters.restored),
  },
  popgate_renewals_total: {
    type: "counter",
    help: "Logins and orders that moved the end of a grant.",
    of: ({ counters }) => one(counters.renewed),
  },
  popgate_expiries_total: {
    type: "counter",
    help: "Grants whose time was over.",
    of: ({ counters }) => one(counters.expired),
  },
  popgate_revocations_total: {
    type: "counter",
    help: "Grants that ended before their time.",
    of: ({ counters }) => one(counters.revoked),
  },
  popgate_refusals_total: {
    type: "counter",
    help: "Logins that the guard refused.",
    of: ({ counters }) => each("reason", counters.refused),
  },
  popgate_lines_refused_total: {
    type: "counter",
    help: "Lines that speak of a login and do not count.",
    of: ({ counters }) => each("reason", counters.lines_refused),
  },
  popgate_near_misses_total: {
    type: "counter",
    help: "Lines that no pattern takes and that look like a login, of a sample of all lines.",
    of: ({ counters }) => each("adapter", counters.near_misses),
  },
  popgate_drifting: {
    type: "gauge",
    help: "1 for a daemon that seems to have changed its words.",
    of: ({ drift }) => drift.map(({ source, adapter }) => [{ source, adapter }, 1]),
  },
  popgate_source_lag_seconds: {
    type: "gauge",
    help: "For how long the end of a log was not reached.",
    of: ({ sources }) => sources.map((source) => [named(source), source.lag_seconds]),
  },
  popgate_source_lag_bytes: {
    type: "gauge",
    help: "Bytes of a log that are not read yet.",
    of: ({ sources }) => sources.map((source) => [named(source), source.lag_bytes]),
  },
  popgate_source_trouble: {
    type: "gauge",
    help: "1 if a log is gone or cannot be read, else 0.",
    of: ({ sources }) =>
      sources.map((source) => [named(source), source.trouble === undefined ? 0 : 1]),
  },
  popgate_source_last_line_timestamp_seconds: {
    type: "gauge",
    help: "When the latest line was read, in seconds since 1970.",
    of: ({ sources }) => sources.map((source) => [named(source), secondsOf(source.last_line)]),
  },
  popgate_source_lines_total: {
    type: "counter",
    help: "Lines of a log that ended, whatever they said.",
    of: ({ sources }) => sources.map((source) => [named(source), source.lines]),
  },
  popgate_source_dropped_total: {
    type: "counter",
    help: "Lines of a log that were not looked at.",
    of: ({ sources }) =>
      sources.flatMap((source) =>
        Object.entries(source.dropped).map(([reason, count]): Sample => [
          { ...named(source), reason },
          count,
        ]),
      ),
  },
  popgate_source_gaps_total: {
    type: "counter",
    help: "How often lines of a log may have been lost.",
    of: ({ sources }) => sources.map((source) => [named(source), source.gaps]),
  },
  popgate_map_publishes_total: {
    type: "counter",
    help: "Writes that made a new table.",
    of: ({ maps }) => maps.map(({ table, publishes }) => [{ table }, publishes]),
  },
  popgate_map_failures_total: {
    type: "counter",
    help: "Writes of a table that failed.",
    of: ({ maps }) => maps.map(({ table, failures }) => [{ table }, failures]),
  },
  popgate_map_publish_seconds: {
    type: "gauge",
    help: "How long the last write of a table took, its tool and the disk included.",
    of: ({ maps }) =>
      maps.map(({ table, took_ms: took }) => [{ table }, took === undefined ? took : took / 1000]),
  },
  popgate_map_last_publish_timestamp_seconds: {
    type: "gauge",
    help: "When a table was last known to be right after a write, in seconds since 1970.",
    of: ({ maps }) => maps.map(({ table, published }) => [{ table }, secondsOf(published)]),
  },
  popgate_map_failing: {
    type: "gauge",
    help: "1 if a table is not what it should be, or running MTAs cannot see it, else 0.",
    of: ({ maps }) =>
      maps.map(({ table, trouble, unseen }) => [
        { table },
        (trouble ?? unseen) === undefined ? 0 : 1,
      ]),
  },
  popgate_map_overdue_seconds: {
    type: "gauge",
    help: "For how long a table may have held clients whose time is over; 0 if it does not.",
    of: ({ maps, now }) =>
      maps.map(({ table, trouble }) => {
        const since = secondsOf(trouble?.overdue);
        return [{ table }, since === undefined ? 0 : (secondsOf(now) ?? 0) - since];
      }),
  },
};

const latency = "popgate_publish_latency_seconds";
/** Seconds: a publish is at once after quiet, and within a second or so otherwise. */
const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What one popgate tells Prometheus. */
export class Metrics {
  /** How many latencies lie in each bucket alone; the last one is for those beyond all. */
  readonly #latencies = Array.from({ length: buckets.length + 1 }, () => 0);
  #seconds = 0;

  /** A table on disk has a client so many ms after the line of its login was read. */
  readonly published = (ms: number): void => {
    const seconds = ms / 1000;
    const found = buckets.findIndex((most) => seconds <= most);
    const bucket = found < 0 ? buckets.length : found;
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1;
    this.#seconds += seconds;
  };

  /** Gives all metrics in Prometheus' text format 0.0.4. */
  text(status: Status): string {
    const written = Object.entries(families).map(([name, { type, help, of }]) =>
      familyText(
        name,
        type,
        help,
        of(status).map(([labels, value]) => [name, labels, value]),
      ),
    );
    return [...written, this.#latencyText()].join("");
  }

  #latencyText(): string {
    let below = 0;
    const samples = this.#latencies.map((count, index): NamedSample => {
      below += count;
      return [`${latency}_bucket`, { le: String(buckets[index] ?? "+Inf") }, below];
    });
    samples.push([`${latency}_sum`, {}, this.#seconds], [`${latency}_count`, {}, below]);
    const help = "From the reading of a login's line until a table on disk has its client.";
    return familyText(latency, "histogram", help, samples);
  }
}

type NamedSample = readonly [name: string, ...sample: Sample];

function familyText(
  name: string,
  type: string,
  help: string,
  samples: readonly NamedSample[],
): string {
  const lines = samples
    .filter(([, , value]) => value !== undefined)
    .map(([own, labels, value]) => `${own}${labelsText(labels)} ${String(value)}\n`);
  return [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, ...lines].join("");
}

/** What a label may hold comes from the config and from logs. */
function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function one(value: number | undefined): readonly Sample[] {
  return [[{}, value]];
}

function each(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([name, count]) => [{ [label]: name }, count]);
}

function named({ name }: Status["sources"][number]): Labels {
  return { source: name };
}

function secondsOf(iso: string | undefined): number | undefined {
  return iso === undefined ? undefined : Date.parse(iso) / 1000;
}
