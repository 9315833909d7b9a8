/** Which refusals have been told already, so that a busy client does not fill the log. */

/** Of one reason. When the memory is full it starts anew: a refusal told twice is no harm. */
const most = 10_000;

/** Remembers, for `span` ms, what was told of whom. */
export class Refusals {
  /** By reason, and then by whose it is. */
  readonly #told = new Map<string, Map<string, number>>();
  readonly #span: number;

  constructor(span: number) {
    this.#span = span;
  }

  /** Whether this refusal is to be told at `monotonic` ms: once per client (or adapter), reason and span. */
  isNews(whose: string, reason: string, monotonic: number): boolean {
    const all = this.#told.get(reason) ?? new Map<string, number>();
    const told = all.get(whose);
    if (told !== undefined && monotonic - told < this.#span) return false;
    if (all.size >= most) all.clear();
    all.set(whose, monotonic);
    this.#told.set(reason, all);
    return true;
  }
}
