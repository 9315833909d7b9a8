/** The host's own addresses, which change while popgate runs: a tunnel comes up, a failover address moves here. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";

interface OwnAddressesParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Asks the host. */
  readonly ownAddresses: () => ReadonlySet<Client>;
}

/** Milliseconds between two questions, however often grants end: one takes some 0.2 ms. */
const pause = 2000;

/** What the host said last. */
export class OwnAddresses {
  readonly #parts: OwnAddressesParts;
  #all: ReadonlySet<Client>;
  #asked: number;
  #isUnknown = false;

  constructor(parts: OwnAddressesParts) {
    this.#parts = parts;
    this.#all = parts.ownAddresses();
    this.#asked = parts.clock.monotonic();
  }

  /** As they were at the last question. */
  get all(): ReadonlySet<Client> {
    return this.#all;
  }

  /**
   * Asks the host, unless it was asked a moment ago. Says whether the answer is another one; a host that does not answer, as when
   * files run out, keeps the addresses that it had.
   */
  refresh(): boolean {
    const { clock, log, ownAddresses } = this.#parts;
    if (clock.monotonic() - this.#asked < pause) return false;
    this.#asked = clock.monotonic();
    const former = this.#all;
    try {
      this.#all = ownAddresses();
      this.#isUnknown = false;
    } catch (error) {
      if (!this.#isUnknown) {
        log.warning("own addresses unknown, the former ones count", { reason: reasonOf(error) });
      }
      this.#isUnknown = true;
    }
    return former.size !== this.#all.size || [...this.#all].some((one) => !former.has(one));
  }
}
