/** Bytes become lines. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter, LineStream, longestLine } from "../../src/sources/lines.ts";
import { holding } from "./wanted.ts";

interface Taken {
  readonly text: string;
  readonly offset: number;
  readonly number: number;
}

/** Splits chunks, with all that can be seen from outside. */
function splitAll(chunks: readonly Buffer[], markers: readonly string[] = [""]) {
  const taken: Taken[] = [];
  const splitter = new LineSplitter(holding(...markers));
  const stream = new LineStream(splitter, (bytes, offset, number) => {
    taken.push({ text: bytes.toString("latin1"), offset, number });
  });
  for (const chunk of chunks) stream.push(chunk);
  return {
    taken,
    lines: splitter.lines,
    dropped: splitter.dropped,
    unterminated: stream.unterminated,
  };
}

const bytesOf = (text: string) => Buffer.from(text, "latin1");
const long = (length: number) => "x".repeat(length);

describe("what a line is", () => {
  test.each<[string, string, readonly [string, number][]]>([
    ["one line", "a\n", [["a", 0]]],
    ["nothing", "", []],
    ["no line feed", "a", []],
    ["an unfinished line behind a whole one", "a\nb", [["a", 0]]],
    ["empty lines", "\n\na\n", [["", 0], ["", 1], ["a", 2]]], // prettier-ignore
    ["CRLF", "a\r\nb\n", [["a", 0], ["b", 3]]], // prettier-ignore
    ["one CR of two", "a\r\r\n", [["a\r", 0]]],
    ["a CR inside", "a\rb\n", [["a\rb", 0]]],
    ["a CR alone", "\r\n", [["", 0]]],
    ["a hole before a line", "\0\0\0a\n", [["a", 3]]],
    ["a NUL inside", "a\0b\n", [["a\0b", 0]]],
    ["a NUL at the end", "a\0\n", [["a\0", 0]]],
    ["only NULs", "\0\0\n", [["", 2]]],
    ["other line ends of Unicode", "a\u0085\u000bb\n", [["a\u0085\u000bb", 0]]],
    ["bytes that are no UTF-8", "\xff\xfe\xe2\x82\n", [["\xff\xfe\xe2\x82", 0]]],
  ])("%s", (_, text, expected) => {
    const { taken } = splitAll([bytesOf(text)]);
    expect(taken.map(({ text: line, offset }) => [line, offset])).toEqual(expected);
    const bytewise = splitAll([...bytesOf(text)].map((byte) => Buffer.of(byte)));
    expect(bytewise.taken).toEqual(taken);
  });
});

describe("the bound", () => {
  test.each<[string, string, readonly string[], number]>([
    ["at the bound", `${long(longestLine)}\nb\n`, [long(longestLine), "b"], 0],
    ["over it", `a\n${long(longestLine + 1)}\nb\n`, ["a", "b"], 1],
    ["far over it", `${long(1_000_000)}\nb\n`, ["b"], 1],
    ["over it and unfinished", `a\n${long(longestLine + 1)}`, ["a"], 0],
    ["two over it", `${long(70_000)}\n${long(70_000)}\nb\n`, ["b"], 2],
    ["a hole does not count", `${"\0".repeat(300_000)}a\n`, ["a"], 0],
  ])("a line %s", (_, text, expected, dropped) => {
    for (const size of [text.length, 65_536, 4096, 70_001]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < text.length; at += size)
        chunks.push(bytesOf(text.slice(at, at + size)));
      const split = splitAll(chunks);
      expect(split.taken.map((line) => line.text)).toEqual(expected);
      expect(split.dropped).toBe(dropped);
      expect(split.unterminated).toBe(!text.endsWith("\n"));
    }
  });

  test("numbers count the lines that are dropped or have no marker", () => {
    const { taken, lines } = splitAll([bytesOf(`a\n${long(70_000)}\n#b\n#c\nd\n`)], ["#"]);
    expect(taken.map(({ text, number }) => [text, number])).toEqual([
      ["#b", 3],
      ["#c", 4],
    ]);
    expect(lines).toBe(5);
  });

  test("after a cut the first line is dropped, and lines count from 1", () => {
    const taken: Taken[] = [];
    const splitter = new LineSplitter(holding(""));
    const take = (bytes: Buffer, offset: number, number: number) =>
      void taken.push({ text: bytes.toString(), offset, number });
    splitter.split(bytesOf("a\nb\n"), 0, take);
    splitter.restart(true);
    splitter.split(bytesOf("other half\nc\n"), 0, take);
    expect(taken.at(-1)).toEqual({ text: "c", offset: 11, number: 2 });
    expect([splitter.dropped, splitter.cut]).toEqual([0, 1]);
  });
});

test("a marker cut by the border of two chunks is found", () => {
  const text = "one -login: Log two\nthree\nLOGIN, user=x\n";
  for (let cut = 0; cut <= text.length; cut++) {
    const { taken } = splitAll(
      [bytesOf(text.slice(0, cut)), bytesOf(text.slice(cut))],
      ["-login: Log", "LOGIN, user="],
    );
    expect(taken.map(({ number }) => number)).toEqual([1, 3]);
  }
});

test("any bytes, cut anywhere, give the lines of a naive split", () => {
  const piece = fc.constantFrom("a", "b", "ab", "\n", "\r", "\0", "\n\n", "\r\n", "é", "ba\nab");
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.nat(120), { maxLength: 8 }),
      fc.array(fc.constantFrom("a", "ab", "ba", "é", "a\0", ""), { minLength: 1, maxLength: 3 }),
      (pieces, cuts, markers) => {
        const text = pieces.join("");
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].toSorted(
          (a, b) => a - b,
        );
        const chunks = places.slice(1).map((end, i) => bytesOf(text.slice(places[i], end)));
        const split = splitAll(chunks, markers);
        expect(split.taken).toEqual(naive(text, markers));
        expect(split.unterminated).toBe(/[^\n\0]\0*$/.test(text.slice(text.lastIndexOf("\n") + 1)));
      },
    ),
    { numRuns: 2000 },
  );
});

function naive(text: string, markers: readonly string[]): readonly Taken[] {
  let at = 0;
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, i) => {
      const holes = /^\0*/.exec(line)?.[0].length ?? 0;
      const taken = {
        text: line.slice(holes).replace(/\r$/, ""),
        offset: at + holes,
        number: i + 1,
        whole: line,
      };
      at += line.length + 1;
      return taken;
    })
    .filter(({ whole }) => markers.some((marker) => whole.includes(marker)))
    .map(({ text: own, offset, number }) => ({ text: own, offset, number }));
}
