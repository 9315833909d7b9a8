/** What another program writes into a pipe. */
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../../src/log.ts";
import { StdinSource } from "../../src/sources/stdin.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { holding } from "./wanted.ts";

let input: PassThrough;
let lines: string[];
let told: string[];
let ends: number;

beforeEach(() => {
  input = new PassThrough();
  lines = [];
  told = [];
  ends = 0;
});

function read(deliver = (text: string) => void lines.push(text)): StdinSource {
  const clock = new ManualClock();
  return new StdinSource({
    input,
    wants: holding("#"),
    clock,
    log: createLog(clock, (line) => void told.push(line.trimEnd())),
    deliver: ({ bytes, source, number, offset }) =>
      deliver(`${source} ${String(number)} ${String(offset)} ${bytes.toString()}`),
    ended: () => void ends++,
  });
}

test("its lines come out, counted and placed, whatever pieces they come in", async () => {
  const source = read();
  await source.start();
  for (const piece of ["one", " #\nno mark\r\ntw", "o ", "#\r\n", "three #"]) input.write(piece);
  await until("two lines", () => lines.length === 2);
  expect(lines).toEqual(["stdin 1 0 one #", "stdin 3 15 two #"]);
  expect(source.progress()).toMatchObject([{ name: "stdin", position: "22", lines: 3 }]);
  expect(source.checkpoints()).toEqual({});
  expect(ends).toBe(0);
});

test("its end is told once; what stands behind the last line feed is no line", async () => {
  const source = read();
  await source.start();
  input.end("one #\ntwo #");
  await until("the end", () => ends > 0);
  await source.stop();
  expect(lines).toEqual(["stdin 1 0 one #"]);
  expect(ends).toBe(1);
  expect(told).toEqual([
    "following source=stdin",
    "warning: line unterminated source=stdin dropped=1",
    "standard input has ended source=stdin position=6 lines=1 unterminated=1 gaps=0",
  ]);
  expect(source.progress()).toMatchObject([
    { dropped: { unterminated: 1 }, gaps: 0, trouble: "ended" },
  ]);
});

test("an input that breaks has ended, and may have lost lines", async () => {
  const source = read();
  await source.start();
  input.destroy(new Error("broken pipe"));
  await until("the end", () => ends > 0);
  expect(ends).toBe(1);
  expect(told[1]).toBe('warning: possible gap source=stdin reason="broken pipe"');
  expect(source.progress()).toMatchObject([{ gaps: 1 }]);
});

test("what cannot be dealt with is told, and holds nothing up", async () => {
  const source = read((text) => {
    if (text.includes("bad")) throw new Error("no");
    lines.push(text);
  });
  await source.start();
  input.write(`bad #\n${"x".repeat(70_000)}\ngood #\n`);
  await until("a line", () => lines.length === 1);
  expect(told.slice(1)).toEqual([
    "error: a line could not be dealt with source=stdin reason=no",
    "warning: line too long source=stdin dropped=1",
  ]);
});

describe("another one goes on with the same input", () => {
  test("inside a line", async () => {
    const first = read();
    await first.start();
    input.write("one #\ntw");
    await until("a line", () => lines.length === 1);
    await first.stop();
    const second = read();
    await second.start();
    input.write("o #\n");
    await until("two lines", () => lines.length === 2);
    expect(lines[1]).toBe("stdin 1 0 two #");
  });

  test("inside a line that is too long", async () => {
    const first = read();
    await first.start();
    input.write("x".repeat(70_000));
    input.write("y");
    await until("the input to be read", () => input.readableLength === 0);
    await first.stop();
    await read().start();
    input.write("one #\ntwo #\n");
    await until("a line", () => lines.length > 0);
    expect(lines).toEqual([expect.stringContaining(" two #")]);
  });

  test("that has ended meanwhile", async () => {
    const first = read();
    await first.start();
    input.end();
    await until("the end", () => ends === 1);
    await first.stop();
    await read().start();
    expect(ends).toBe(2);
  });
});
