/** Sorts many strings in short steps, so that whoever asks for them can do other things in between. */

/** Strings that are sorted, merged or given in one step: some milliseconds. */
const step = 4096;

/**
 * Gives the strings that `spell` makes of these items in bytewise order, each once, in runs; an empty run is a moment to
 * breathe. All items are read before the first run is given. Bytewise is what `<` means for ASCII.
 */
export function* sortedRuns<T>(
  items: Iterable<T>,
  spell: (item: T) => readonly string[],
): Generator<readonly string[]> {
  const all = [...items];
  yield [];
  let runs: string[][] = [];
  for (let start = 0; start < all.length; start += step) {
    runs.push(
      all
        .slice(start, start + step)
        .flatMap(spell)
        .sort(),
    );
    yield [];
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* merge(runs[at] ?? [], runs[at + 1] ?? []));
    }
    runs = merged;
  }
  let last: string | undefined;
  const [sorted = []] = runs;
  for (let start = 0; start < sorted.length; start += step) {
    const run: string[] = [];
    for (const one of sorted.slice(start, start + step)) {
      if (one !== last) run.push(one);
      last = one;
    }
    yield run;
  }
}

function* merge(
  left: readonly string[],
  right: readonly string[],
): Generator<readonly string[], string[]> {
  const merged: string[] = [];
  let [l, r] = [0, 0];
  for (;;) {
    const [one, other] = [left[l], right[r]];
    if (one !== undefined && (other === undefined || one <= other)) {
      merged.push(one);
      l += 1;
    } else if (other !== undefined) {
      merged.push(other);
      r += 1;
    } else return merged;
    if (merged.length % step === 0) yield [];
  }
}
