/** Lines that speak of a login and do not count: counted, and told once a ttl for each adapter and reason. */
import { reasonTexts, type Refusal } from "./adapters/refusal.ts";
import type { Clock } from "./clock.ts";
import type { Counters } from "./counters.ts";
import { Refusals } from "./grants/refusals.ts";
import type { Log } from "./log.ts";
import type { Line } from "./model.ts";

interface RefusedLinesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
}

/** Strangers can make such lines: they must not fill the log. */
export class RefusedLines {
  readonly #parts: RefusedLinesParts;
  readonly #told: Refusals;

  /** One is told again after `span` ms. */
  constructor(parts: RefusedLinesParts, span: number) {
    this.#parts = parts;
    this.#told = new Refusals(span);
  }

  /** Takes one. */
  add({ source, offset }: Line, { refused, adapter }: Refusal): void {
    const { clock, log, counters } = this.#parts;
    counters.lineRefused(refused);
    if (!this.#told.isNews(adapter, refused, clock.monotonic())) return;
    log.warning("line refused", { reason: reasonTexts[refused], adapter, source, offset });
  }
}
