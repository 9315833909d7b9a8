/** What became of all logins since popgate started, in numbers. */
import { reasonTexts, type Reason } from "./guard.ts";

/** Counts from 0 when popgate starts. A login is counted once for its adapter, and once for what became of it, if anything did. */
export interface Counters {
  /** By adapter: all, whatever became of them. */
  readonly logins: Readonly<Record<string, number>>;
  /** Logins whose time was over when they were read, or that were forgotten. */
  readonly late: number;
  readonly granted: number;
  /** Logins that moved the end of a grant. */
  readonly renewed: number;
  readonly expired: number;
  /** Grants that ended before their time. */
  readonly revoked: number;
  /** Logins, by the reason why the guard refused them. */
  readonly refused: Readonly<Record<Reason, number>>;
}

/** The same, to be counted up. */
export type Counting = { -readonly [Key in keyof Counters]: Writable<Counters[Key]> };

type Writable<Value> = Value extends number
  ? number
  : { -readonly [Key in keyof Value]: Value[Key] };

/** Gives counters that stand at 0. */
export function noCounts(): Counting {
  const refused = Object.fromEntries(Object.keys(reasonTexts).map((reason) => [reason, 0]));
  return {
    // An adapter may be called `constructor`.
    logins: Object.create(null) as Record<string, number>,
    late: 0,
    granted: 0,
    renewed: 0,
    expired: 0,
    revoked: 0,
    refused: refused as Record<Reason, number>,
  };
}
