/** How many cases a property tries: a soak wants more of them than a test run. */

/** Options of a test that tries many cases: it may take its time, the longer the more there are. */
export const long = { timeout: cases(30_000) };

/** Takes the number for a test run; `POPGATE_CASES` multiplies it. */
export function cases(number: number): number {
  return number * Number(process.env["POPGATE_CASES"] ?? 1);
}
