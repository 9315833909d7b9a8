/** Who may be due in which second, so that nobody has to look at all. */

/** What ends. */
export interface Ending {
  /** Monotonic, in ms. It may be moved to later without a word; to sooner, what ends is removed before and added again. */
  until: number;
  /** Where the index has it: a monotonic second, not behind its end, and the place there. The index's own. */
  second: number;
  place: number;
}

/**
 * What ends, by monotonic seconds. Logins mostly come in the order of their ends, but replayed logs and several sources do not,
 * so an end may be added anywhere. What is moved to later stays where it is until that second comes, since most grants are
 * renewed many times.
 */
export class Expiries<Item extends Ending> {
  /** Ascending, and exactly the keys of #buckets. */
  readonly #seconds: number[] = [];
  readonly #buckets = new Map<number, Item[]>();
  /** Not after the earliest end; undefined if that is to be looked up. */
  #next: number | undefined;

  /** Adds what is not there yet. */
  add(item: Item): void {
    const second = secondOf(item.until);
    let bucket = this.#buckets.get(second);
    if (bucket === undefined) {
      bucket = [];
      this.#buckets.set(second, bucket);
      this.#seconds.splice(this.#placeOf(second), 0, second);
    }
    item.second = second;
    item.place = bucket.push(item) - 1;
    if (this.#next !== undefined && item.until < this.#next) this.#next = item.until;
  }

  /** Removes what is there. */
  remove({ second, place }: Item): void {
    const bucket = this.#buckets.get(second);
    const last = bucket?.pop();
    if (bucket === undefined || last === undefined) return;
    if (place < bucket.length) {
      bucket[place] = last;
      last.place = place;
    }
    if (second === this.#seconds[0]) this.#next = undefined;
    if (bucket.length > 0) return;
    this.#buckets.delete(second);
    this.#seconds.splice(this.#placeOf(second), 1);
  }

  /** Gives up to `most` whose end is reached at `monotonic` ms, without removing them. */
  due(monotonic: number, most: number): Item[] {
    const due: Item[] = [];
    const moved: Item[] = [];
    for (const item of this.#upTo(monotonic)) {
      if (item.until <= monotonic) due.push(item);
      else if (secondOf(item.until) > item.second) moved.push(item);
      if (due.length + moved.length >= most) break;
    }
    for (const item of moved) {
      this.remove(item);
      this.add(item);
    }
    this.#next = undefined;
    return due;
  }

  /** Gives all, those first that are to be looked at last: where not all have a place again, these are to have it. */
  all(): Item[] {
    const all: Item[] = [];
    for (const second of this.#seconds.toReversed()) {
      const bucket = this.#buckets.get(second) ?? [];
      for (const item of bucket.toReversed()) all.push(item);
    }
    return all;
  }

  /** Gives all in two parts: those that may end up to `monotonic` ms, and those that end later. */
  split(monotonic: number): { readonly near: readonly Item[]; readonly far: readonly Item[] } {
    const near: Item[] = [];
    const far: Item[] = [];
    for (const [second, bucket] of this.#buckets) {
      const part = second * 1000 > monotonic ? far : near;
      for (const item of bucket) part.push(item);
    }
    return { near, far };
  }

  /** Not after the earliest end, and less than a second before it unless that was moved; monotonic ms, undefined if there is none. */
  next(): number | undefined {
    const [second] = this.#seconds;
    if (second === undefined) return undefined;
    if (this.#next !== undefined) return this.#next;
    // Whoever was moved to later is looked at when the second is over.
    let earliest = (second + 1) * 1000;
    for (const { until } of this.#buckets.get(second) ?? []) earliest = Math.min(earliest, until);
    this.#next = earliest;
    return earliest;
  }

  /** Those of all seconds that have begun. */
  *#upTo(monotonic: number): Generator<Item> {
    for (const second of this.#seconds) {
      if (second * 1000 > monotonic) return;
      yield* this.#buckets.get(second) ?? [];
    }
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
