/** What a running popgate answers to whoever may ask it: put together from the four stages at the moment of the question. */
import type { Audit } from "./audit-event.ts";
import { grantedBeside } from "./beside.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type {
  Control,
  DriftStatus,
  Explanation,
  Listed,
  MapStatus,
  RefusedStatus,
  Status,
} from "./control/control.ts";
import { healthOf } from "./control/health.ts";
import { iso, listedOf, sourceOf } from "./control/shown.ts";
import type { Counters } from "./counters.ts";
import type { Gate } from "./grants/gate.ts";
import { reasonTexts } from "./grants/guard.ts";
import { accountOf } from "./grants/names.ts";
import type { RefusedLogin } from "./grants/refusal-history.ts";
import type { TableHealth, Tables } from "./maps/tables.ts";
import type { Ailing, Matchers } from "./matchers.ts";
import type { Grant } from "./model.ts";
import type { Sources } from "./sources/sources.ts";
import { version } from "./version.ts";

interface AnswersParts {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly tables: Tables;
  readonly sources: Sources;
  readonly matchers: Matchers;
  readonly audit: Pick<Audit, "trouble"> | undefined;
  readonly counters: Counters;
  /** What only the daemon knows, now. */
  readonly self: () => {
    readonly ready: boolean;
    readonly withdrawn: boolean;
    readonly maxGrants: number;
  };
}

/** What is only asked; what is ordered goes to the daemon itself. */
export type Answers = Pick<Control, "status" | "grants" | "explain">;

/** Gives the answers of the daemon that has these parts. */
export function answersOf(parts: AnswersParts): Answers {
  const { clock, gate } = parts;
  const started = clock.now();
  return {
    status: () => statusOf(parts, started),
    // They change while they are sent: whose they are is taken now.
    grants: () => listed(gate.live()),
    explain: (client) => explanationOf(parts, client),
  };
}

function statusOf(parts: AnswersParts, started: number): Status {
  const { clock, gate, counters } = parts;
  const { ready, withdrawn, maxGrants } = parts.self();
  const sources = parts.sources.progress().map(sourceOf);
  const maps = parts.tables.health().map(mapOf);
  const drift = parts.matchers.ailing.map(driftOf);
  const { lastLogin, linesRefused } = counters;
  return {
    ...healthOf({
      ready,
      withdrawn,
      sources,
      maps,
      drift,
      unwritable: parts.tables.unwritable,
      audit: parts.audit?.trouble,
    }),
    popgate: version,
    node: process.version,
    pid: process.pid,
    started: iso(started),
    now: iso(clock.now()),
    grants: gate.size,
    max_grants: maxGrants,
    last_login: lastLogin === undefined ? undefined : iso(lastLogin),
    sources,
    maps,
    drift,
    counters: {
      ...gate.counters,
      lines_refused: linesRefused,
      near_misses: parts.matchers.nearMisses(),
    },
  };
}

/** Why a client is granted, or what is known of why it is not. */
function explanationOf({ gate, tables, self }: AnswersParts, client: Client): Explanation {
  const grant = gate.of(client);
  const refusals = gate.refusalsOf(client);
  const users = new Set([grant, ...refusals].map((one) => accountOf(one?.user ?? "")));
  const revocations = gate
    .revocations()
    .filter((one) => ("client" in one ? one.client === client : users.has(accountOf(one.user))));
  const refusal = grant === undefined ? gate.addressRefusalOf(client) : undefined;
  const excluded = gate.excluded()(client);
  const [neighbour] =
    grant === undefined
      ? grantedBeside(client, gate, tables).sort((a, b) => b.expires - a.expires)
      : [];
  return {
    client,
    granted: grant !== undefined,
    ...(self().withdrawn ? { withdrawn: true } : {}),
    ...(grant === undefined
      ? {}
      : {
          grant: {
            ...listedOf(grant),
            renewed: iso(grant.renewed),
            source: grant.source,
            offset: grant.offset,
          },
        }),
    ...(neighbour === undefined ? {} : { neighbour: listedOf(neighbour) }),
    ...(excluded.length === 0 ? {} : { excluded }),
    ...(refusal === undefined ? {} : { never: reasonTexts[refusal] }),
    revocations: revocations.map((one) => ({ ...one, until: iso(one.until) })),
    refusals: refusals.map(refusedOf),
  };
}

function refusedOf(refused: RefusedLogin): RefusedStatus {
  const { at, user, service, adapter, reason, source, offset, why } = refused;
  return {
    at: iso(at),
    user,
    service,
    adapter,
    reason,
    text: reasonTexts[reason],
    source,
    offset,
    why,
  };
}

function mapOf({ map, orphan, trouble, unseen, writes }: TableHealth): MapStatus {
  const { last } = writes;
  return {
    table: map.name,
    mta: map.settings.mta,
    configured: !orphan,
    published: last === undefined ? undefined : iso(last.at),
    took_ms: last === undefined ? undefined : Math.round(last.took),
    publishes: writes.written,
    failures: writes.failed,
    trouble:
      trouble === undefined
        ? undefined
        : {
            reason: trouble.reason,
            since: trouble.since === undefined ? undefined : iso(trouble.since),
            overdue: trouble.overdue === undefined ? undefined : iso(trouble.overdue),
            emptied: trouble.emptied,
          },
    unseen,
  };
}

function driftOf({ source, sign }: Ailing): DriftStatus {
  const { adapter } = sign;
  return sign.kind === "misses"
    ? { source, adapter, sign: "near misses", count: sign.count }
    : { source, adapter, sign: "lines without a login", count: sign.lines };
}

function* listed(grants: readonly Grant[]): Generator<Listed> {
  for (const grant of grants) yield listedOf(grant);
}
