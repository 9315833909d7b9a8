/** What a running popgate can be asked, and its answers: JSON, times in ISO 8601 UTC. Types only. */
import type { Client } from "../client.ts";
import type { LoginCounters, Progress } from "../model.ts";

/** Health in one word; all but the first need somebody. */
export type Health = "healthy" | "starting" | "withdrawn" | "unhealthy";

export type SourceStatus = Omit<Progress, "last_line"> & {
  readonly last_line?: string | undefined;
};

export interface MapStatus {
  readonly table: string;
  readonly mta: string;
  /** False for a table that is no longer configured and is not empty yet. */
  readonly configured: boolean;
  /** When it was last known to hold what it must; and how many ms the last write took, tool and all. */
  readonly published?: string | undefined;
  readonly took_ms?: number | undefined;
  readonly publishes: number;
  readonly failures: number;
  /** Why it is not what it should be, and since when; `overdue`: since when it holds clients whose grants are over. */
  readonly trouble?:
    | {
        readonly reason: string;
        readonly since?: string | undefined;
        readonly overdue?: string | undefined;
        readonly emptied: boolean;
      }
    | undefined;
  /** Why running MTAs may not see what is written. */
  readonly unseen?: string | undefined;
}

/** An adapter whose daemon seems to have changed its words. */
export interface DriftStatus {
  readonly source: string;
  readonly adapter: string;
  readonly sign: "near misses" | "lines without a login";
  readonly count: number;
}

/** Since popgate started. */
export interface Counters extends LoginCounters {
  /** Lines that speak of a login, by the adapter's reason. */
  readonly lines_refused: Readonly<Record<string, number>>;
  /** By adapter; of a sample of the lines. */
  readonly near_misses: Readonly<Record<string, number>>;
}

export interface Status {
  readonly health: Health;
  /** Why it is not healthy, in words. */
  readonly reasons: readonly string[];
  readonly popgate: string;
  readonly node: string;
  readonly pid: number;
  readonly started: string;
  readonly now: string;
  readonly grants: number;
  readonly max_grants: number;
  readonly last_login?: string | undefined;
  readonly sources: readonly SourceStatus[];
  readonly maps: readonly MapStatus[];
  readonly drift: readonly DriftStatus[];
  readonly counters: Counters;
}

/** One grant, as `popgate list --json` has it. */
export interface Listed {
  readonly client: string;
  readonly user: string;
  readonly service: string;
  readonly adapter: string;
  readonly granted: string;
  readonly expires: string;
  /** Why an administrator granted it, if no login did; user, service and adapter are then empty. */
  readonly why?: string | undefined;
}

/** Where a line stands. */
interface PlaceStatus {
  readonly source?: string | undefined;
  /** Bytes from the start of its file, as it was then. */
  readonly offset?: number | undefined;
}

/** A login that the guard refused. */
export interface RefusedStatus extends PlaceStatus {
  readonly at: string;
  readonly user: string;
  readonly service: string;
  readonly adapter: string;
  readonly reason: string;
  readonly text: string;
  /** Why it was revoked, if that is the reason. */
  readonly why?: string | undefined;
}

/** Whether one client is granted, and why; or why it is not. */
export interface Explanation {
  readonly client: string;
  readonly granted: boolean;
  /** `renewed` is the latest login, whose line stands at that place. */
  readonly grant?: (Listed & PlaceStatus & { readonly renewed: string }) | undefined;
  /** True if popgate was told to withdraw: whoever is granted, no table has him. */
  readonly withdrawn?: true | undefined;
  /** Of those in its /64 that is granted longest, if this lets the whole /64 relay, and the client has no grant of its own. */
  readonly neighbour?: Listed | undefined;
  /** What must not relay in its /64, which therefore is not granted whole. */
  readonly excluded?: readonly string[] | undefined;
  /** Why no login at all would be granted. */
  readonly never?: string | undefined;
  /** What keeps it, or its users, out: their logins from before `until`, which may be over, grant nothing. */
  readonly revocations: readonly {
    readonly client?: string;
    readonly user?: string;
    readonly until: string;
    readonly why: string;
  }[];
  /** The newest first. */
  readonly refusals: readonly RefusedStatus[];
}

/** A client that is to be granted without a login. */
export interface GrantOrder {
  readonly client: Client;
  /** Milliseconds. */
  readonly for: number;
  readonly why: string;
}

/** What came of it: the grant, and which tables have it. */
export interface GrantAnswer extends Listed {
  readonly published: readonly string[];
  /** The configured tables that do not have it, and why. */
  readonly unpublished: readonly { readonly table: string; readonly reason: string }[];
}

/** A client or a user whose grants are to end. */
export type RevocationOrder = ({ readonly client: Client } | { readonly user: string }) & {
  /** Milliseconds for which no login grants again; without it the next one does, and none from before. */
  readonly for?: number | undefined;
  readonly why: string;
};

/** What the daemon does for whoever asks. What is thrown as a KnownError is told to the asker in its own words. */
export interface Control {
  status(): Status;
  grants(): Iterable<Listed>;
  explain(client: Client): Explanation;
  grant(order: GrantOrder): Promise<GrantAnswer>;
  revoke(order: RevocationOrder): Promise<{ readonly ended: number }>;
  withdraw(order: { readonly forget: boolean }): Promise<unknown>;
  reload(): Promise<unknown>;
  /** In Prometheus' text format. */
  metrics(): string;
}
