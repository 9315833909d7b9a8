/** What is demanded of a writer, and what could be. */
import { expect, test } from "vitest";
import type { Trusted } from "../../src/sources/journal-entry.ts";
import { isTrusted, tightest } from "../../src/sources/trust.ts";
import type { Trust } from "../../src/sources/trust.ts";

const dovecot: Trusted = {
  _UID: "0",
  _COMM: "log",
  _EXE: "/usr/lib/dovecot/log",
  _SYSTEMD_UNIT: "dovecot.service",
};
const logger: Trusted = { _UID: "65534", _COMM: "logger" };

test.each<[Trust, Trusted, boolean]>([
  [{}, logger, true],
  [{ _UID: ["0"] }, dovecot, true],
  [{ _UID: ["0"] }, logger, false],
  [{ _UID: ["0"] }, {}, false],
  [{ _UID: ["0", "65534"] }, logger, true],
  [{ _UID: ["65534"], _EXE: ["/usr/bin/logger"] }, logger, false],
  [{ _UID: ["0"], _SYSTEMD_UNIT: ["dovecot.service"] }, dovecot, true],
  [{ _UID: ["0"], _SYSTEMD_UNIT: ["dovecot"] }, dovecot, false],
  [{ _UID: ["0"], _EXE: undefined }, dovecot, true],
])("what %j demands, %j has: %s", (trust, trusted, expected) => {
  expect(isTrusted(trusted, trust)).toBe(expected);
});

test.each<[string, readonly Trusted[], Trust]>([
  [
    "one writer",
    [dovecot],
    { _UID: ["0"], _COMM: ["log"], _EXE: [dovecot._EXE ?? ""], _SYSTEMD_UNIT: ["dovecot.service"] },
  ],
  ["two", [dovecot, logger], { _UID: ["0", "65534"], _COMM: ["log", "logger"] }],
  ["many", ["1", "2", "3", "4", "5"].map((_UID) => ({ ...logger, _UID })), { _COMM: ["logger"] }],
  ["nobody", [], {}],
])("the tightest demand that %s can satisfy", (_, all, expected) => {
  expect(tightest(all)).toEqual(expected);
  expect(all.every((trusted) => isTrusted(trusted, tightest(all)))).toBe(true);
});
