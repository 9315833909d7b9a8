/** How many cases a property tries: a soak wants more of them than a test run. */

/** Takes the number for a test run; `POPGATE_CASES` multiplies it. */
export function cases(number: number): number {
  return number * Number(process.env["POPGATE_CASES"] ?? 1);
}
