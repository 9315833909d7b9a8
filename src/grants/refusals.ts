/** Which refusals have been told already, so that a busy client does not fill the log. */

/** When the memory is full it starts anew: a refusal told twice is no harm. */
const most = 10_000;

/** Remembers, for `span` ms, what was told of whom. */
export class Refusals {
  readonly #told = new Map<string, number>();
  readonly #span: number;

  constructor(span: number) {
    this.#span = span;
  }

  /** Whether this refusal is to be told at `monotonic` ms: once per client (or adapter), reason and span. */
  isNews(whose: string, reason: string, monotonic: number): boolean {
    const key = `${whose} ${reason}`;
    const told = this.#told.get(key);
    if (told !== undefined && monotonic - told < this.#span) return false;
    if (this.#told.size >= most) this.#told.clear();
    this.#told.set(key, monotonic);
    return true;
  }
}
