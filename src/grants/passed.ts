/** Those of the live grants that have passed the guard again, as it counts them: the others do not count yet. */
import type { Client } from "../client.ts";
import { Accounts } from "./accounts.ts";
import type { Held } from "./guard.ts";

/** Nobody stands at first. */
export class Passed implements Held {
  readonly #max: number;
  readonly #accounts = new Accounts();
  #size = 0;

  /** There are `max` places. */
  constructor(max: number) {
    this.#max = max;
  }

  get full(): boolean {
    return this.#size >= this.#max;
  }

  /** Nobody's address has passed the networks before. */
  of(_client: Client): undefined {
    return undefined;
  }

  clientsOf(user: string): number {
    return this.#accounts.of(user);
  }

  add(user: string): void {
    this.#size++;
    this.#accounts.add(user);
  }
}
