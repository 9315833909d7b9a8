/** One open inode, and what `tail` does for it. */
import fs from "node:fs";
import { join } from "node:path";
import { Tail } from "tail";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Reading } from "../../src/sources/generation.ts";
import { holds, Inode, InodeTail, openFile } from "../../src/sources/inode.ts";
import { LineSplitter } from "../../src/sources/lines.ts";
import { beginning } from "../../src/sources/mark.ts";
import { until } from "../until.ts";
import { LogDirectory } from "./log-directory.ts";
import { holding } from "./wanted.ts";

let log: LogDirectory;
const taken: string[] = [];

beforeEach(() => {
  log = new LogDirectory();
  log.append(3);
  taken.length = 0;
});

afterEach(() => log.remove());

function opened(path = log.path) {
  const file = openFile(path);
  if (file === undefined) throw new Error(`${path} is not a file`);
  return file;
}

function read(): Inode {
  const take = (bytes: Buffer) => void taken.push(bytes.toString());
  return new Inode(opened(), new Reading(new LineSplitter(holding("#")), take, beginning));
}

test("`tail` still calls the two hooks that are overridden, for its two events", () => {
  const { prototype } = Tail as unknown as { prototype: Record<string, unknown> };
  expect(Object.getOwnPropertyNames(prototype)).toEqual(
    expect.arrayContaining(["watchEvent", "change", "rename", "unwatch"]),
  );
  const calls: string[] = [];
  const stub = {
    change: () => calls.push("change"),
    rename: (name: string) => calls.push(`rename ${name}`),
  };
  const watchEvent = prototype["watchEvent"] as (event: string, name: string) => void;
  watchEvent.call(stub, "change", "mail.log");
  watchEvent.call(stub, "rename", "mail.log");
  expect(calls).toEqual(["change", "rename mail.log"]);
});

test("`tail` tells of growth, renaming and unlinking, and goes on after each", async () => {
  const { descriptor } = opened();
  const writer = log.open();
  let hints = 0;
  const tail = new InodeTail(descriptor, () => hints++);
  const happenings = [
    () => log.append(1, writer),
    () => log.shift(),
    () => log.append(1, writer),
    () => fs.unlinkSync(`${log.path}.1`),
    () => log.append(1, writer),
    () => fs.ftruncateSync(writer),
  ];
  for (const happens of happenings) {
    hints = 0;
    happens();
    await until("a hint", () => hints > 0);
  }
  tail.unwatch();
  fs.closeSync(descriptor);
});

test("a descriptor that cannot be watched is refused with an exception, which can be caught", () => {
  expect(() => new InodeTail(999_999, () => undefined)).toThrow("ENOENT");
});

test("reads in turns, and says first that there is something", () => {
  const inode = read();
  expect([inode.read(), inode.read(), inode.read()]).toEqual(["first", "end", "end"]);
  expect(taken).toEqual(log.written);
  log.raw(`${"x".repeat(150_000)}\n`);
  log.append(1);
  expect([inode.read(), inode.read(), inode.read()]).toEqual(["more", "end", "end"]);
  expect(taken).toEqual(log.written);
  expect(inode.reading.counts).toEqual({ lines: 5, tooLong: 1, cut: 0 });
  inode.close();
  inode.close();
});

test.each<[string, () => void]>([
  ["shorter", () => fs.truncateSync(log.path, 5)],
  ["empty", () => fs.truncateSync(log.path)],
  ["longer, with other content", () => fs.writeFileSync(log.path, "y #\n".repeat(100))],
])("a file that was truncated and is %s now is noticed", (_, truncate) => {
  const inode = read();
  inode.read();
  inode.read();
  truncate();
  expect(inode.read()).toBe("truncated");
  expect(taken).toHaveLength(3);
  inode.restart(false);
  expect(inode.reading.position).toEqual(beginning);
  inode.close();
});

test("an unfinished line is counted, a long one from its start", () => {
  const inode = read();
  log.raw("1234");
  inode.read();
  inode.read();
  expect(inode.reading.unterminated).toBe(4);
  log.raw("x".repeat(400_000));
  while (inode.read() !== "end");
  expect(inode.reading.unterminated).toBe(400_004);
  expect(inode.reading.lineStart.offset).toBe(fs.statSync(log.path).size - 400_004);
  inode.close();
});

test("a file is known by its head and by what stands before the position", () => {
  const inode = read();
  inode.read();
  inode.read();
  const { position } = inode.reading;
  inode.close();
  const copy = join(log.directory, "copy");
  const verdict = (content: string | Buffer) => {
    fs.writeFileSync(copy, content);
    const file = opened(copy);
    const held = holds(file, position);
    fs.closeSync(file.descriptor);
    return held;
  };
  const content = fs.readFileSync(log.path);
  expect(verdict(content)).toBe(true);
  expect(verdict(`${content.toString()}more`)).toBe(true);
  expect(verdict(content.subarray(0, -1))).toBe(false);
  expect(verdict(content.fill("z", 0, 1))).toBe(false);
});

test("what is not a regular file is not opened", () => {
  expect(openFile(log.directory)).toBeUndefined();
  expect(openFile("/dev/null")).toBeUndefined();
  expect(() => openFile(join(log.directory, "none"))).toThrow("ENOENT");
});
