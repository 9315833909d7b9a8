/** When a follower looks again, and when it lets the loop go. */
import type { Clock } from "../clock.ts";
import { turns } from "./turns.ts";

/** How a log does: something goes on there, or is wrong and will last, or all is well. */
export type Condition = "moving" | "ailing" | "well";

/** How soon it is looked at again when nobody gives a hint. Milliseconds, like all below. */
const pauses: Readonly<Record<Condition, number>> = { moving: 20, ailing: 250, well: 250 };
/** The same when all is well, nothing has happened for long, and what happened before was hinted at. */
const longPause = 1000;
const longQuiet = 60_000;

/** The loop is let go after so many ms of work, or after so many chunks if the clock stands still. */
const slice = 5;
const mostChunks = 64;

/** Waits for hints, or for the next look if none comes. */
export class Pace {
  readonly #clock: Clock;
  #hinted = false;
  /** A hint came before the work at hand. */
  #announced = false;
  /** Something happened without a hint: hints cannot be relied upon, until one comes. */
  #deaf = false;
  #happened: number;
  #wake: (() => void) | undefined;
  #letGo: number;
  #chunks = 0;
  #endBy = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#happened = clock.monotonic();
    this.#letGo = this.#happened;
  }

  /** Monotonic ms: when it last had its turn. As long as its log is followed, that is hardly longer ago than a pause. */
  get beat(): number {
    return this.#letGo;
  }

  /** Something may have happened. */
  readonly hint = (): void => {
    this.#hinted = true;
    this.#deaf = false;
    this.#happened = this.#clock.monotonic();
    this.#wake?.();
  };

  /** Something has happened, whether there was a hint or not. */
  found(): void {
    this.#happened = this.#clock.monotonic();
    this.#deaf ||= !this.#announced && !this.#hinted;
  }

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

  /** Waits for a hint, not at all if there was one since the last rest, and not for ever; then for its turn. */
  async rest(condition: Condition): Promise<void> {
    if (!this.#hinted) await this.#nap(this.#pauseOf(condition));
    await this.turn();
    this.#announced = this.#hinted;
    this.#hinted = false;
  }

  /** To be called after each chunk of work: gives others their turn when it is time. */
  async breathe(): Promise<void> {
    this.#chunks++;
    if (this.#chunks < mostChunks && this.#clock.monotonic() - this.#letGo < slice) return;
    await this.turn();
  }

  /** Waits for the turn of whoever works in slices, this log among them. */
  async turn(): Promise<void> {
    await turns.next();
    this.#letGo = this.#clock.monotonic();
    this.#chunks = 0;
  }

  #pauseOf(condition: Condition): number {
    const quiet = this.#clock.monotonic() - this.#happened;
    return condition === "well" && !this.#deaf && quiet >= longQuiet
      ? longPause
      : pauses[condition];
  }

  async #nap(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
