import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lineAt } from "../../src/sources/line-at.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "popgate-line-"))));
afterEach(() => rmSync(directory, { recursive: true }));

test.each([
  [0, "one"],
  [4, "zwei è"],
  [1, undefined],
  [12, undefined],
  [13, undefined],
  [999, undefined],
])("the line at byte %d", async (offset, line) => {
  const file = join(directory, "mail.log");
  writeFileSync(file, "one\nzwei è\nhalf");
  expect(await lineAt(file, offset)).toBe(line);
});

test("of a file that is gone, or a line without an end, there is none", async () => {
  expect(await lineAt(join(directory, "none"), 0)).toBeUndefined();
  const file = join(directory, "long");
  writeFileSync(file, `${"a".repeat(9000)}\n`);
  expect(await lineAt(file, 0)).toBeUndefined();
});
