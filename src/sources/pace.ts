/** When a follower looks again, and when it lets the loop go. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** The loop is let go after so many ms of work, or after so many chunks if the clock stands still. */
const slice = 8;
const mostChunks = 64;

/** Waits for hints, or for the next look if none comes. */
export class Pace {
  readonly #clock: Clock;
  #hinted = false;
  #wake: (() => void) | undefined;
  #letGo = 0;
  #chunks = 0;
  #endBy = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something may have happened. */
  readonly hint = (): void => {
    this.#hinted = true;
    this.#wake?.();
  };

  /** Work has to end within so many ms. */
  endWithin(ms: number): void {
    this.#endBy = this.#clock.monotonic() + ms;
    this.hint();
  }

  /** True once it has been told to end. */
  get ending(): boolean {
    return this.#endBy !== Infinity;
  }

  /** True when there is no time left. */
  get late(): boolean {
    return this.#clock.monotonic() >= this.#endBy;
  }

  /** Resolves at the next hint, at once if there was one since the last rest, or after `ms`. */
  async rest(ms: number): Promise<void> {
    if (this.#hinted) {
      await setImmediate();
    } else {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#hinted = false;
    this.#begin();
  }

  /** To be called after each chunk of work: gives others their turn when it is time. */
  async breathe(): Promise<void> {
    this.#chunks++;
    if (this.#chunks < mostChunks && this.#clock.monotonic() - this.#letGo < slice) return;
    await setImmediate();
    this.#begin();
  }

  #begin(): void {
    this.#letGo = this.#clock.monotonic();
    this.#chunks = 0;
  }
}
