/** What an audit is told of, in the words of the log. Types only. */
import type { Client } from "./client.ts";

/** One decision, or what changes all of them at once. */
export interface AuditEvent {
  /** Of a client: the first five; of a client or a user: kept out; of all: the rest. */
  readonly event:
    | "granted"
    | "renewed"
    | "refused"
    | "expired"
    | "revoked"
    | "kept out"
    | "kept out no more"
    | "withdrawn"
    | "forgotten"
    | "started"
    | "reloaded"
    | "stopped";
  readonly client?: Client | undefined;
  /** Absent where an administrator granted. */
  readonly user?: string | undefined;
  readonly service?: string | undefined;
  readonly adapter?: string | undefined;
  /** Where the line of the login stands. */
  readonly source?: string | undefined;
  readonly offset?: number | undefined;
  /** Wall clock, ms since 1970: the time of the login, in the log. */
  readonly login?: number | undefined;
  /** Wall clock, ms since 1970: when the grant ends, or the client or user is kept out no more. */
  readonly expires?: number | undefined;
  /** The guard's word for why a login is refused. */
  readonly reason?: string | undefined;
  /** In a sentence. */
  readonly why?: string | undefined;
}

/** Hears of everything once; never waits, and never throws. */
export interface Audit {
  record(event: AuditEvent): void;
  /** Why what is recorded is not kept, in words; undefined while it is. */
  readonly trouble: string | undefined;
}
