/** Which files are read where a directory is named. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withRotated } from "../../src/sources/logs.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-logs-"));
  mkdirSync(join(directory, "mail.log.d"));
  symlinkSync("nowhere", join(directory, "dangling"));
  for (const name of [
    "mail.log",
    "mail.log.1",
    "mail.log.2.gz",
    "mail.log.10.gz",
    "mail.log.3.xz",
    "mail.log~",
    "maillog-20260102",
    "maillog-20260101.gz",
    "syslog",
  ]) {
    writeFileSync(join(directory, name), "");
  }
});

afterEach(() => rmSync(directory, { recursive: true }));

const mail = ["mail.log.10.gz", "mail.log.2.gz", "mail.log.1", "mail.log"];

test.each<[string, readonly string[]]>([
  ["mail.log", mail],
  ["syslog", ["syslog"]],
  ["missing", ["missing"]],
  ["", [...mail, "maillog-20260101.gz", "maillog-20260102", "syslog"]],
])("%j with its rotated generations", (name, expected) => {
  expect(withRotated(join(directory, name))).toEqual(expected.map((each) => join(directory, each)));
});
