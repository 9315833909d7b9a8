/** The audit's file on a real disk. */
import fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unprivileged } from "../unprivileged.ts";
import { openAuditFile, type AuditFile } from "../../src/audit/file.ts";

let directory: string;
let path: string;
let files: AuditFile[];

beforeEach(() => {
  // Not below the temp directory, whose mode is not that of a log's.
  directory = fs.mkdtempSync(join(homedir(), ".popgate-audit-"));
  path = join(directory, "audit.log");
  files = [];
});

afterEach(async () => {
  for (const file of files) await file.close();
  fs.rmSync(directory, { recursive: true });
});

async function opened(): Promise<AuditFile> {
  const file = await openAuditFile(path);
  files.push(file);
  return file;
}

const text = () => fs.readFileSync(path, "utf8");

test("is made with mode 0640, and only appended to", async () => {
  const file = await opened();
  expect(fs.statSync(path).mode & 0o7777).toBe(0o640);
  expect(await file.append(["a\n", "b\n"])).toEqual({ lines: 2, error: undefined });
  // Where somebody else writes, it goes on at the end.
  fs.appendFileSync(path, "c\n");
  await (await opened()).append(["d\n"]);
  await file.append(["e\n"]);
  expect(text()).toBe("a\nb\nc\nd\ne\n");
});

test.each([
  ["", "a\n"],
  ["x\n", "x\na\n"],
  ["half a li", "half a li\na\n"],
  ["x\nhalf", "x\nhalf\na\n"],
])("after %j a line begins a line", async (before, after) => {
  fs.writeFileSync(path, before);
  const file = await opened();
  expect(await file.append(["a\n"])).toMatchObject({ lines: 1 });
  expect(text()).toBe(after);
});

test.each<[what: string, prepare: () => void, message: RegExp]>([
  [
    "a link",
    () => fs.symlinkSync(join(directory, "other"), path),
    /audit\.log is a link; name the file that it leads to/,
  ],
  ["a directory", () => fs.mkdirSync(path), /illegal operation on a directory|is not a file/],
  [
    "a file that others can write to",
    () => {
      fs.writeFileSync(path, "");
      fs.chmodSync(path, 0o666);
    },
    /others can write to .*; chmod go-w it/,
  ],
  [
    "a directory that others can write to",
    () => fs.chmodSync(directory, 0o777),
    /others can write to .* \(mode 0777\)/,
  ],
  [
    "a missing directory",
    () => void (path = join(directory, "no/audit.log")),
    /no such file or directory.*; make it, for popgate's user/,
  ],
])("%s is refused", async (_, prepare, message) => {
  prepare();
  await expect(opened()).rejects.toThrow(message);
  expect(fs.existsSync(join(directory, "other"))).toBe(false);
});

test("one that may not be opened is not", async () => {
  await unprivileged("popgate-audit-", async (own) => {
    fs.writeFileSync(join(own, "audit.log"), "", { mode: 0o200 });
    await expect(openAuditFile(join(own, "audit.log"))).rejects.toMatchObject({ code: "EACCES" });
    await expect(openAuditFile("/audit.log")).rejects.toThrow("belongs to user 0");
  });
});

test("knows when it was removed, and not when it was renamed", async () => {
  const file = await opened();
  fs.renameSync(path, `${path}.1`);
  expect(await file.isGone()).toBe(false);
  fs.rmSync(`${path}.1`);
  expect(await file.isGone()).toBe(true);
});
