/** Many measurements to a few figures. */

/** The smallest one that at least `share` of all do not exceed. */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function median(numbers) {
  return percentile(numbers, 0.5);
}
