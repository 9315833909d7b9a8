/** Sorting in steps gives what sorting at once gives. */
import { array, assert, constantFrom, property, string } from "fast-check";
import { expect, test } from "vitest";
import { sortedRuns } from "../../src/maps/sort.ts";

test("any strings", () => {
  assert(
    property(array(string({ unit: constantFrom("0", "9", ".", ":"), maxLength: 3 })), (strings) => {
      expect([...sortedRuns(strings, itself)].flat()).toEqual([...new Set(strings)].sort());
    }),
  );
});

test.each([4095, 4096, 4097, 50_000])("%i of them, twice, in short steps", (count) => {
  const strings = Array.from({ length: count }, (_, index) => String((index * 7919) % count));
  const runs = [...sortedRuns([...strings, ...strings], itself)];
  expect(runs.flat()).toEqual([...new Set(strings)].sort());
  expect(Math.max(...runs.map(({ length }) => length))).toBeLessThanOrEqual(4096);
});

test("what changes after the first step is not seen", () => {
  const strings = ["b", "a"];
  const runs = sortedRuns(strings, itself);
  runs.next();
  strings.push("c");
  expect([...runs].flat()).toEqual(["a", "b"]);
});

function itself(one: string): readonly string[] {
  return [one];
}
