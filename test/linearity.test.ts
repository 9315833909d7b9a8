import { expect, test } from "vitest";
import { linearityFaults } from "../src/linearity.ts";

test(
  "tells which pattern a hostile line could hold up, and shows the line",
  { timeout: 120_000 },
  async () => {
    const faults = await linearityFaults([
      /^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$/,
      /^x: (?<user>.*), ip=\[(?<client>.*)\]$/,
      /^(?<user>(?:a+)+) (?<client>b)$/,
      /^(?<user>.*) from (?<client>[^ ]+)$/u,
    ]);
    expect(faults).toEqual([
      undefined,
      expect.stringMatching(
        /^a hostile line makes it work too long \(2nd degree polynomial\): 'x: ' \+ ', ip=\['\.repeat\(\d+\) \+ '.'; let no two/,
      ),
      expect.stringMatching(/^a hostile line makes it work too long \(exponential/),
      undefined,
    ]);
  },
);

test("holds nothing up meanwhile", { timeout: 120_000 }, async () => {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await linearityFaults([/^(?<user>(?:a+)+) (?<client>b)$/]);
  isDone = true;
  // A check that ran in this thread would let none of them come but the last.
  expect(turns).toBeGreaterThan(100);
});

test("without a pattern there is nothing to do", async () => {
  expect(await linearityFaults([])).toEqual([]);
});
