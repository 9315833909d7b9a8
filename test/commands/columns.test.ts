import fc from "fast-check";
import { expect, test } from "vitest";
import { aligned, durationOf, sizeOf, wrapped } from "../../src/commands/columns.ts";

const titles = ["CLIENT", "USER", "ADAPTER"];
const rows = [
  ["192.0.2.7", "a-name-that-is-longer-than-twenty-characters", "dovecot"],
  ["2001:db8::7", "ann", ""],
];

test("without a screen nothing is cut", () => {
  expect(aligned(titles, rows)).toBe(
    [
      "CLIENT       USER                                          ADAPTER",
      "192.0.2.7    a-name-that-is-longer-than-twenty-characters  dovecot",
      "2001:db8::7  ann",
      "",
    ].join("\n"),
  );
});

test("on a narrow one soft cells are cut first, and spare columns go where that is not enough", () => {
  const fit = { spare: ["ADAPTER"], soft: ["USER"] };
  expect(aligned(titles, rows, { ...fit, width: 50 }).split("\n")[1]).toBe(
    "192.0.2.7    a-name-that-is-longer-than-…  dovecot",
  );
  expect(aligned(titles, rows, { ...fit, width: 34 }).split("\n")[1]).toBe(
    "192.0.2.7    a-name-that-is-longe…",
  );
});

test("where there is room for the narrowest form, no line is wider than the screen", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 39 }), fc.string(), fc.string({ maxLength: 9 }))),
      fc.integer({ min: 70, max: 200 }),
      (cells, width) => {
        const text = aligned(titles, cells, { width, spare: ["ADAPTER"], soft: ["USER"] });
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test("a text is broken at blanks, and keeps where it begins", () => {
  expect(wrapped("  ! one two three", 9, "    ")).toBe("  ! one\n    two\n    three");
  expect(wrapped("", 9)).toBe("");
});

test.each([
  [0, "0s"],
  [7000, "7s"],
  [61_000, "1m01s"],
  [3_720_000, "1h02m"],
  [172_800_000, "2d00h"],
])("%d ms are %s", (ms, text) => expect(durationOf(ms)).toBe(text));

test.each([
  [12, "12 B"],
  [1_234_567, "1.2 MB"],
])("%d bytes are %s", (bytes, text) => expect(sizeOf(bytes)).toBe(text));
