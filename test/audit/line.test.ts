import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineOf, longestText, recordedOf, type Recorded } from "../../src/audit/line.ts";
import { canonicalClient } from "../../src/client.ts";

const time = Date.parse("2026-11-23T06:20:54.123Z");
const client = canonicalClient("192.0.2.7");

describe("a line", () => {
  test.each<[recorded: Recorded, line: string]>([
    [
      {
        event: "granted",
        time,
        client,
        user: "ann",
        service: "pop3",
        adapter: "dovecot",
        source: "/var/log/mail.log",
        offset: 1234,
        login: time - 123,
        expires: time + 1_800_000 - 123,
      },
      '{"time":"2026-11-23T06:20:54.123Z","event":"granted","client":"192.0.2.7","user":"ann","service":"pop3","adapter":"dovecot","source":"/var/log/mail.log","offset":1234,"login":"2026-11-23T06:20:54.000Z","expires":"2026-11-23T06:50:54.000Z"}',
    ],
    [
      { event: "granted", time, client, expires: time, why: "scanner" },
      '{"time":"2026-11-23T06:20:54.123Z","event":"granted","client":"192.0.2.7","expires":"2026-11-23T06:20:54.123Z","why":"scanner"}',
    ],
    [
      { event: "refused", time, client, user: 'a\u001b[2J\u009b\u202eb"\n', reason: "private" },
      String.raw`{"time":"2026-11-23T06:20:54.123Z","event":"refused","client":"192.0.2.7","user":"a\u001b[2J\u009b\u202eb\"\n","reason":"private"}`,
    ],
    [
      { event: "lost", time, events: 7 },
      '{"time":"2026-11-23T06:20:54.123Z","event":"lost","events":7}',
    ],
  ])("%j", (recorded, line) => {
    expect(lineOf(recorded)).toBe(`${line}\n`);
    expect(recordedOf(line)).toEqual(recorded);
  });

  test.each([
    "",
    "x",
    "null",
    "7",
    "[]",
    '{"event":"granted"}',
    '{"time":"2026-11-23T06:20:54.123Z"}',
    '{"time":"2026-11-23","event":"granted"}',
    '{"time":"2026-13-23T06:20:54.123Z","event":"granted"}',
    '{"time":1795414854123,"event":"granted"}',
    '{"time":"2026-11-23T06:20:54.123Z","event":"granted","client":"192.0.2.007"}',
    '{"time":"2026-11-23T06:20:54.123Z","event":"granted","client":"2001:DB8::1"}',
    '{"time":"2026-11-23T06:20:54.123Z","event":"granted","client":"192.0.2.7"',
  ])("%s is none", (line) => {
    expect(recordedOf(line)).toBeUndefined();
  });

  test.each([-1, 1.5, 2 ** 60, "7", null])("a number of %j logins is none", (logins) => {
    const line = `{"time":"2026-11-23T06:20:54.123Z","event":"renewed","logins":${JSON.stringify(logins)}}`;
    expect(recordedOf(line)?.logins).toBeUndefined();
  });
});

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\ud800", "\udc00", "\u0085", "\u2028", "\n", '"', "\\", "é", "😀"),
  }),
  fc.string({ minLength: 300, maxLength: 70_000 }),
);

test("whatever the names are, a line is one line, short, and harmless on a terminal; and what is short comes back", () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (user, source, why) => {
      const line = lineOf({ event: "refused", time, client, user, source, why });
      expect(line).toMatch(/^[\x20-\x7e\p{L}\p{M}\p{N}\p{P}\p{S}]*\n$/u);
      expect(Buffer.byteLength(line)).toBeLessThan(8192);
      for (const text of Object.values(JSON.parse(line) as Record<string, string>)) {
        expect(text.length).toBeLessThanOrEqual(longestText);
      }
      const back = recordedOf(line);
      if (user.length <= longestText && Buffer.from(user).toString() === user)
        expect(back?.user).toBe(user);
    }),
  );
});
