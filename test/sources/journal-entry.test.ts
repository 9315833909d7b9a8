/** What journalctl writes, read back: from a real journald, and what others may have put into it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLogin } from "../../src/adapters/matcher.ts";
import { journalEntryOf } from "../../src/sources/journal-entry.ts";
import type { JournalEntry } from "../../src/sources/journal-entry.ts";
import { isTrusted } from "../../src/sources/trust.ts";
import { judge, judgedAt, linesOf } from "../adapters/judged.ts";

const plain = {
  __CURSOR: "s=1;i=2",
  __REALTIME_TIMESTAMP: "1795414925637431",
  _SOURCE_REALTIME_TIMESTAMP: "1795414925637407",
  SYSLOG_IDENTIFIER: "dovecot",
  _PID: "17",
  _HOSTNAME: "mx",
  _UID: "0",
  MESSAGE: "hello",
};

function read(fields: object): JournalEntry | undefined {
  return journalEntryOf(JSON.stringify({ ...plain, ...fields }));
}

test("an entry tells its place, its time, its writer and its message", () => {
  expect(read({ _COMM: "log", _EXE: "/usr/lib/dovecot/log" })).toEqual({
    cursor: "s=1;i=2",
    prefix: { stamp: "2026-11-23T06:22:05.637Z", host: "mx", program: "dovecot", pid: 17 },
    message: Buffer.from("hello"),
    trusted: { _UID: "0", _COMM: "log", _EXE: "/usr/lib/dovecot/log" },
    suppressed: undefined,
  });
});

test.each<[string, object, object]>([
  [
    "the earlier time counts",
    { __REALTIME_TIMESTAMP: "1795414920000000" },
    { stamp: "2026-11-23T06:22:00.000Z" },
  ],
  [
    "the time of sending may be missing",
    { _SOURCE_REALTIME_TIMESTAMP: undefined },
    { stamp: "2026-11-23T06:22:05.637Z" },
  ],
  ["syslog's own pid comes first", { SYSLOG_PID: "99" }, { pid: 99 }],
  ["no pid", { _PID: undefined }, { pid: undefined }],
  ["a pid that is no number", { SYSLOG_PID: "1x" }, { pid: undefined }],
  ["no program", { SYSLOG_IDENTIFIER: undefined }, { program: "" }],
  // A native client may send a field twice.
  ["two names of a program", { SYSLOG_IDENTIFIER: ["dovecot", "x"] }, { program: "" }],
])("its prefix: %s", (_, fields, prefix) => {
  expect(read(fields)?.prefix).toMatchObject(prefix);
});

test.each<[string, unknown, Buffer | undefined]>([
  ["text", "caf\u00e9", Buffer.from("caf\u00e9")],
  [
    "bytes, where it has control characters or no UTF-8",
    [99, 97, 102, 233, 10],
    Buffer.from("caf\xe9\n", "latin1"),
  ],
  ["longer than journalctl shows", null, undefined],
  ["several messages", ["one", "two"], undefined],
  ["several messages, of bytes too", ["one", [116, 119, 111]], undefined],
  ["no bytes", [1, 256], undefined],
  ["no bytes either", [1.5], undefined],
  ["none", undefined, undefined],
  ["an object", {}, undefined],
])("its message: %s", (_, MESSAGE, expected) => {
  expect(read({ MESSAGE })?.message).toEqual(expected);
});

test.each<[string, object]>([
  ["no cursor", { __CURSOR: undefined }],
  ["no time", { __REALTIME_TIMESTAMP: undefined }],
  ["a time that is none", { __REALTIME_TIMESTAMP: "soon" }],
  [
    "a time that no Date can hold",
    { __REALTIME_TIMESTAMP: "9".repeat(30), _SOURCE_REALTIME_TIMESTAMP: undefined },
  ],
])("an entry with %s is none", (_, fields) => {
  expect(read(fields)).toBeUndefined();
});

test.each(["", "{", "null", "[]", "3", "-- No entries --"])("%j is no entry", (line) => {
  expect(journalEntryOf(line)).toBeUndefined();
});

test("only journald itself says that it suppressed messages", () => {
  const said = {
    MESSAGE: "Suppressed 47 messages from dovecot.service",
    MESSAGE_ID: "a596d6fe7bfa4994828e72309e95d61e",
    N_DROPPED: "47",
    OBJECT_SYSTEMD_UNIT: "dovecot.service",
  };
  expect(read({ ...said, _TRANSPORT: "driver" })?.suppressed).toEqual({
    unit: "dovecot.service",
    messages: "47",
  });
  expect(read({ ...said, _TRANSPORT: "journal" })?.suppressed).toBeUndefined();
  expect(read({ _TRANSPORT: "driver" })?.suppressed).toBeUndefined();
});

test("whatever stands in a line, reading it never throws", () => {
  const value = fc.oneof(
    fc.string(),
    fc.constant(null),
    fc.array(fc.integer({ min: 0, max: 255 })),
    fc.array(fc.string()),
    fc.object(),
  );
  const fields = fc.dictionary(
    fc.constantFrom(...Object.keys(plain), "MESSAGE_ID", "_TRANSPORT", "N_DROPPED"),
    value,
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fields.map((own) => JSON.stringify({ ...plain, ...own })),
        fc.string(),
      ),
      (line) => {
        const entry = journalEntryOf(line);
        expect(["undefined", "string"]).toContain(typeof entry?.cursor);
      },
    ),
  );
});

describe("a real journald with a real Dovecot, and a real logger that forges", () => {
  const lines = linesOf("corpus/lab/dovecot-journald.json.log");
  const entries = lines.map((line) => journalEntryOf(line)).filter((entry) => entry !== undefined);
  const logins = entries.filter(({ message = "", prefix }) =>
    isLogin(judge(message, judgedAt, prefix)),
  );

  test("every line is an entry", () => {
    expect(lines).toHaveLength(96);
    expect(entries).toHaveLength(96);
  });

  test("what says that it is a login is one, but for the forged one", () => {
    const said = entries.filter(({ message }) => /^\w+-login: Login: /.test(String(message)));
    expect(logins).toEqual(said);
    expect(logins.filter(({ trusted }) => isTrusted(trusted, { _UID: ["0"] }))).toHaveLength(19);
    expect(logins.filter(({ trusted }) => !isTrusted(trusted, { _UID: ["0"] }))).toMatchObject([
      { trusted: { _UID: "65534", _COMM: "logger" } },
    ]);
  });
});
