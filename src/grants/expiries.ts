/** Which clients may be due in which second, so that nobody has to look at all of them. */
import type { Client } from "../client.ts";

/**
 * Clients by the monotonic second in which their grant ends. Logins mostly come in the order of their ends, but replayed
 * logs and several sources do not, so an end may be added anywhere.
 */
export class Expiries {
  /** Ascending, and exactly the keys of #ends. */
  readonly #seconds: number[] = [];
  readonly #ends = new Map<number, Map<Client, number>>();

  /** Adds a client that is not there yet; `until` is monotonic, in ms. */
  add(client: Client, until: number): void {
    const second = secondOf(until);
    const bucket = this.#ends.get(second);
    if (bucket !== undefined) {
      bucket.set(client, until);
      return;
    }
    this.#ends.set(second, new Map([[client, until]]));
    this.#seconds.splice(this.#placeOf(second), 0, second);
  }

  /** Removes a client that was added with the same `until`. */
  remove(client: Client, until: number): void {
    const second = secondOf(until);
    const bucket = this.#ends.get(second);
    if (bucket?.delete(client) !== true || bucket.size > 0) return;
    this.#ends.delete(second);
    this.#seconds.splice(this.#placeOf(second), 1);
  }

  /** Gives the clients whose end is reached at `monotonic` ms, without removing them. */
  due(monotonic: number): Client[] {
    const due: Client[] = [];
    for (const second of this.#seconds) {
      if (second * 1000 > monotonic) break;
      for (const [client, until] of this.#ends.get(second) ?? []) {
        if (until <= monotonic) due.push(client);
      }
    }
    return due;
  }

  /** The earliest end, in monotonic ms, or undefined if there is none. */
  next(): number | undefined {
    const [second] = this.#seconds;
    if (second === undefined) return undefined;
    let earliest = Infinity;
    for (const until of this.#ends.get(second)?.values() ?? [])
      earliest = Math.min(earliest, until);
    return earliest;
  }

  /** The index of the first second that is not before this one. */
  #placeOf(second: number): number {
    let low = 0;
    let high = this.#seconds.length;
    if ((this.#seconds[high - 1] ?? -Infinity) < second) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seconds[middle] ?? Infinity) < second) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function secondOf(until: number): number {
  return Math.floor(until / 1000);
}
