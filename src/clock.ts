/** The present, and timers. Nothing else asks for the time or waits for it. */

/** What tells the time; tests have one that they move by hand. */
export interface Clock {
  /** Wall clock, ms since 1970; it may be stepped in either direction. */
  now(): number;
  /** Milliseconds of CLOCK_MONOTONIC, which systemd goes by, too; never steps. */
  monotonic(): number;
  /** Calls back once, `ms` milliseconds from now, unless the function that it gives is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** CLOCK_MONOTONIC when `performance.now()` began to count, in ms. */
const began = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => began + performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Waits for `work`, for `ms` milliseconds at most: then it rejects with `late`, and the work goes on. */
export function inTime<T>(clock: Clock, ms: number, work: Promise<T>, late: Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late));
    work.finally(cancel).then(resolve, reject);
  });
}
