/** Who may hold the loop next: readers wait in line, and each turn of the loop lets one of them on. */

/** A line of waiting readers. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #armed = false;

  /** Resolves when it is this one's turn, in a later turn of the loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#arm();
    });
  }

  /** Node runs all that were set at once one after the other: so only one is ever set, and sets the next. */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#arm();
    });
  }
}

/** The one of this process: there is one loop. */
export const turns = new Turns();
