/** The names and the order of rotated files. */
import { describe, expect, test } from "vitest";
import { oldestFirst, rotatedForm } from "../../src/sources/rotation.ts";

describe("the name", () => {
  test.each([
    ["mail.log.1", 1, undefined, false],
    ["mail.log.10.gz", 10, undefined, true],
    ["mail.log.0", 0, undefined, false],
    ["mail.log-20261123", undefined, "20261123", false],
    ["mail.log-20261123.gz", undefined, "20261123", true],
    ["mail.log-2026-11-23", undefined, "20261123", false],
    ["mail.log.20261123", undefined, "20261123", false],
    ["mail.log_20261123-06", undefined, "2026112306", false],
    ["mail.log-20261123T061500", undefined, "20261123061500", false],
    ["mail.log-1795413600", undefined, "1795413600", false],
  ])("%s is a rotated mail.log", (name, number, date, packed) => {
    expect(rotatedForm("mail.log", name)).toEqual({ number, date, packed });
  });

  test.each(
    "mail.log mail.log2 mail.login mail.log.bak mail.log.swp mail.log.1.bak mail.log.1.xz mail.log~ mail.log-old .mail.log.1 mail.log.gz mail.log.1.gz.tmp xmail.log.1 mail.log-1".split(
      " ",
    ),
  )("%s is none", (name) => {
    expect(rotatedForm("mail.log", name)).toBeUndefined();
  });
});

test.each([
  ["numbers fall", [".2", ".10.gz", ".1"], [".10.gz", ".2", ".1"]],
  ["dates rise", ["-20261103", "-20261022.gz", "-20261102"], ["-20261022.gz", "-20261102", "-20261103"]], // prettier-ignore
  ["both: by the last change", [".1", "-20261022", ".2"], [".1", "-20261022", ".2"]],
])("the oldest first: %s", (_, suffixes, expected) => {
  const files = suffixes.flatMap((suffix, modified) => {
    const form = rotatedForm("mail.log", `mail.log${suffix}`);
    return form === undefined ? [] : [{ ...form, modified, suffix }];
  });
  expect(oldestFirst(files).map(({ suffix }) => suffix)).toEqual(expected);
});
