/** Waiting for a condition with a deadline: whoever waits too long is told what for. */

import { setTimeout as pause } from "node:timers/promises";

export interface Patience {
  /** Milliseconds until it counts as never. */
  readonly within?: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Looks until `look` gives something other than undefined or false, and returns that. */
export async function until<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
  { within = 10_000, every = 15 }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`waited ${within} ms for ${what}`);
    await pause(every);
  }
}

/** The result of `promise`, or an error naming `what` once the time is up. */
export async function inTime<T>(what: string, promise: Promise<T>, within = 10_000): Promise<T> {
  const given = new AbortController();
  const late = pause(within, undefined, { signal: given.signal }).then(
    () => Promise.reject(new Error(`waited ${within} ms for ${what}`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    given.abort();
  }
}
