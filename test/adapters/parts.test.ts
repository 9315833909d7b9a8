import fc from "fast-check";
import { expect, test } from "vitest";
import { adapters } from "../../src/adapters/index.ts";
import { longestText, partsOf } from "../../src/adapters/parts.ts";
import { cases } from "./cases.ts";

test.each([
  [String.raw`^user (?<user>[^ ]+) logged in from \[(?<client>[^\]]+)\]$`, " logged in from ["],
  ["^(?<user>a|b) (?<client>c)$", " c"],
  ["^abc?d$", "ab"],
  ["^abc+d$", "abc"],
  ["^abc*def$", "def"],
  ["^a(?:bc)d$", "abcd"],
  ["^a(?:bc)?d$", "a"],
  ["^a(?:bc){0,3}def$", "def"],
  ["^a(?:bc){2}d$", "abc"],
  ["^a(?:bc|bcd)e$", "a"],
  ["^a(?=bcd)e$", "a"],
  ["^a(?!bcd)e$", "a"],
  ["^a(?<!bcd)(?<=xyz)e$", "a"],
  [String.raw`^a[\]bcd]e[^]f$`, "a"],
  [String.raw`^\.\[\]\/\-x$`, ".[]/-x"],
  [String.raw`^\x41BC\u0041D\cIE\dFG$`, "BC"],
  [String.raw`^(?<user>ab)\k<user>cde$`, "cde"],
  [String.raw`^(?<user>ab)\1cde$`, "cde"],
  ["^a{b$", "a{b"],
  ["^é\u2028ab$", "ab"],
  ["^.*$", ""],
])("every match of %s holds %j", (source, text) => {
  expect(longestText(source)).toBe(text);
});

test("whatever an adapter's pattern takes holds the text that was found in it", () => {
  const patterns = adapters.flatMap(({ logins }) => logins);
  for (const pattern of patterns) {
    expect(
      partsOf(pattern.source)
        .map(({ source }) => source)
        .join(""),
    ).toBe(pattern.source);
  }
});

/** A pattern's source and a text that it takes, both from small pieces. */
type Pair = readonly [source: string, text: string];

const atoms: Pair[] = [
  ["a", "a"],
  ["b", "b"],
  [" ", " "],
  ["=", "="],
  [".", "b"],
  ["[ab]", "b"],
  ["[^a]", "="],
  [String.raw`\[`, "["],
  [String.raw`\d`, "7"],
  ["(?=)", ""],
];
const repeats: [repeat: string, times: number][] = [
  ["", 1],
  ["?", 0],
  ["??", 1],
  ["*", 0],
  ["*", 2],
  ["+", 1],
  ["+?", 2],
  ["{2}", 2],
  ["{0,1}", 0],
  ["{1,2}", 2],
];

const { whole } = fc.letrec<{ atom: Pair; piece: Pair; whole: Pair }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...atoms),
    tie("whole").map(([source, text]): Pair => [`(?:${source})`, text]),
    fc
      .tuple(tie("whole"), tie("whole"))
      .map(([[one, text], [other]]): Pair => [`(?:${other}|${one})`, text]),
  ),
  piece: fc
    .tuple(tie("atom"), fc.constantFrom(...repeats))
    .map(([[source, text], [repeat, times]]): Pair => [source + repeat, text.repeat(times)]),
  whole: fc
    .array(tie("piece"), { minLength: 1, maxLength: 5 })
    .map((all): Pair => [
      all.map(([source]) => source).join(""),
      all.map(([, text]) => text).join(""),
    ]),
}));

test("whatever a pattern takes holds its longest text, and its parts are the whole of it", () => {
  fc.assert(
    fc.property(whole, ([source, text]) => {
      expect(text).toContain(longestText(`^${source}$`));
      expect(
        partsOf(source)
          .map((part) => part.source)
          .join(""),
      ).toBe(source);
    }),
    { numRuns: cases(1000) },
  );
});
