/** A file or a stream is read once, to its end. */
import fs from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SourceError } from "../../src/errors.ts";
import { readLines } from "../../src/sources/reader.ts";
import { LogDirectory } from "./log-directory.ts";
import { holding } from "./wanted.ts";

let log: LogDirectory;

beforeEach(() => {
  log = new LogDirectory();
});

afterEach(() => log.remove());

async function linesOf(input: string | Readable, marker = "#") {
  const texts: string[] = [];
  const totals = await readLines(input, holding(marker), (line) => {
    texts.push(`${line.source}:${String(line.number)}: ${line.bytes.toString()}`);
    expect(line.live).toBe(false);
  });
  return { texts, ...totals };
}

const content = `one #\n${"x".repeat(80_000)}#\nnothing\r\nfour #\r\nunfinished #`;

describe.each<[string, (text: string) => string | Readable]>([
  ["a file", (text) => write("mail.log", text)],
  ["a packed file", (text) => write("mail.log.1.gz", gzipSync(text))],
  ["a stream", (text) => Readable.from([Buffer.from(text)], { objectMode: false })],
  ["a stream of text", (text) => Readable.from([text.slice(0, 3), text.slice(3)])],
  ["a stream of small chunks", (text) => Readable.from(text.match(/[^]{1,7}/g) ?? [])],
])("%s", (_, make) => {
  test("gives its whole lines", async () => {
    const input = make(content);
    const source = typeof input === "string" ? input : "-";
    expect(await linesOf(input)).toEqual({
      texts: [`${source}:1: one #`, `${source}:4: four #`],
      lines: 4,
      dropped: 1,
      unterminated: true,
    });
  });

  test("may be empty", async () => {
    expect(await linesOf(make(""))).toEqual({
      texts: [],
      lines: 0,
      dropped: 0,
      unterminated: false,
    });
  });

  test("may be large", async () => {
    const text = "a line that is wanted #\na line that is not\n".repeat(40_000);
    const { texts, lines, unterminated } = await linesOf(make(text));
    expect([texts.length, lines, unterminated]).toEqual([40_000, 80_000, false]);
  }, 20_000);
});

function write(name: string, bytes: string | Buffer): string {
  const path = join(log.directory, name);
  fs.writeFileSync(path, bytes);
  return path;
}

describe("what cannot be read is named, with the reason", () => {
  test("a missing file", async () => {
    const path = join(log.directory, "none");
    await expect(linesOf(path)).rejects.toThrow(
      new SourceError(`${path}: no such file or directory (ENOENT)`),
    );
  });

  test("a directory", async () => {
    await expect(linesOf(log.directory)).rejects.toThrow(
      new SourceError(`${log.directory}: illegal operation on a directory (EISDIR)`),
    );
  });

  test("a packed file that is damaged", async () => {
    const path = write("mail.log.1.gz", gzipSync(content).subarray(0, 40));
    await expect(linesOf(path)).rejects.toThrow(SourceError);
  });

  test("a stream that breaks", async () => {
    const stream = new PassThrough();
    stream.write("one #\n");
    stream.destroy(new Error("gone"));
    await expect(linesOf(stream)).rejects.toThrow(new SourceError("-: gone"));
  });
});

test("what `deliver` throws ends the reading", async () => {
  log.append(3);
  const reading = readLines(log.path, holding("#"), () => {
    throw new Error("no more");
  });
  await expect(reading).rejects.toThrow("no more");
});
