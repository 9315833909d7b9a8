/** The reloads of a running popgate: one after the other, of which one waits at most. */

/** Two at once would mix two configs, and whoever asks while one waits is served by that one: it reads what stands there then. */
export class Reloads {
  readonly #reload: (withdrawals: number) => Promise<void>;
  readonly #refused: (error: unknown) => void;
  /** Settles when nothing is under way. */
  #last: Promise<unknown>;
  #waiting: { withdrawals: number; done: Promise<void> } | undefined;

  /** `start` comes before all of them; `reload` hears how often popgate had been told to withdraw when it was asked for. */
  constructor(
    start: Promise<unknown>,
    reload: (withdrawals: number) => Promise<void>,
    refused: (error: unknown) => void,
  ) {
    this.#last = start;
    this.#reload = reload;
    this.#refused = refused;
  }

  /** Resolves when a reload has ended that began after this. Rejects with what it threw. */
  ask(withdrawals: number): Promise<void> {
    if (this.#waiting === undefined) {
      const waiting = { withdrawals, done: Promise.resolve() };
      this.#waiting = waiting;
      waiting.done = this.#next(this.#last, waiting);
      this.#last = waiting.done.catch(this.#refused);
    } else this.#waiting.withdrawals = withdrawals;
    return this.#waiting.done;
  }

  async #next(former: Promise<unknown>, waiting: { withdrawals: number }): Promise<void> {
    await former;
    this.#waiting = undefined;
    await this.#reload(waiting.withdrawals);
  }
}
