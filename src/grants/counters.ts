/** Counters that stand at 0, to be counted up. */
import type { LoginCounters } from "../model.ts";
import { reasonTexts, type Reason } from "./guard.ts";

/** What became of all logins, each refusal under its reason. */
export interface Counters extends LoginCounters {
  readonly refused: Readonly<Record<Reason, number>>;
}

/** The same, to be counted up. */
type Counting = { -readonly [Key in keyof Counters]: Writable<Counters[Key]> };

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
    restored: 0,
    renewed: 0,
    expired: 0,
    revoked: 0,
    refused: refused as Record<Reason, number>,
  };
}
