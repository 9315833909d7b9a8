/** A clock that stands still until a test moves it. */
import type { Clock } from "../src/clock.ts";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Starts at a wall time (ISO or ms); its monotonic time starts at 1,000 ms. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 1000;
  readonly #timers = new Set<Timer>();

  constructor(start: string | number = "2026-11-23T06:00:00Z") {
    this.#now = new Date(start).getTime();
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.#monotonic + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Moves both times forward, calling each timer at its own moment. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.due <= end)
        .sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#move(next.due - this.#monotonic);
      this.#timers.delete(next);
      next.callback();
    }
    this.#move(end - this.#monotonic);
  }

  /** Moves both times forward in steps, and lets what was started by a timer go on before the next step. */
  async pass(ms: number, step = ms): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      this.advance(Math.min(step, ms - passed));
      await settled();
    }
  }

  /** Steps the wall clock alone, as an administrator or NTP does. */
  step(ms: number): void {
    this.#now += ms;
  }

  #move(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }
}

/** Resolves when all promises that can go on without I/O have gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
