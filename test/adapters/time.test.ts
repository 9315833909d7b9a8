/** Log stamps against a table, in zones with and without a summer time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StampReader } from "../../src/adapters/time.ts";

const day = 86_400_000;

/** What a stamp comes to, in catch-up, as ISO text or a reason. */
function at(zone: string, stamp: string | undefined, now: string, live = false): string {
  const read = new StampReader(zone).at(stamp, Date.parse(now), live);
  return typeof read === "number" ? new Date(read).toISOString() : read;
}

describe("a stamp", () => {
  // What it is | the host's zone | the stamp | now | the instant.
  const rows = `
    RFC 3164 | UTC | Nov 23 06:12:27 | 2026-11-23T12:00:00Z | 2026-11-23T06:12:27.000Z
    a padded day | UTC | Nov  5 06:12:27 | 2026-11-23T12:00:00Z | 2026-11-05T06:12:27.000Z
    a bare day | UTC | Nov 5 06:12:27 | 2026-11-23T12:00:00Z | 2026-11-05T06:12:27.000Z
    a zero day | UTC | Nov 05 06:12:27 | 2026-11-23T12:00:00Z | 2026-11-05T06:12:27.000Z
    RFC 3339 | Asia/Tokyo | 2026-11-23T06:12:27.123456+01:00 | 2026-11-23T12:00:00Z | 2026-11-23T05:12:27.123Z
    RFC 3339 in UTC | Asia/Tokyo | 2026-11-23T06:12:27Z | 2026-11-23T12:00:00Z | 2026-11-23T06:12:27.000Z
    an offset without a colon, west | UTC | 2026-11-23T06:12:27.5-0330 | 2026-11-23T12:00:00Z | 2026-11-23T09:42:27.500Z
    no offset: the zone's | Asia/Tokyo | 2026-11-23T06:12:27 | 2026-11-23T12:00:00Z | 2026-11-22T21:12:27.000Z
    a blank, a comma | UTC | 2026-11-23 06:12:27,25 | 2026-11-23T12:00:00Z | 2026-11-23T06:12:27.250Z
    a zone of 45 minutes | Asia/Kathmandu | Nov 23 06:12:27 | 2026-11-23T12:00:00Z | 2026-11-23T00:27:27.000Z
    the last year, at its turn | UTC | Dec 31 23:59:59 | 2027-01-01T00:00:05Z | 2026-12-31T23:59:59.000Z
    the next year, at its turn: as now | UTC | Jan  1 00:00:01 | 2026-12-31T23:59:58Z | 2026-12-31T23:59:58.000Z
    the turn in a zone ahead of UTC | Pacific/Auckland | Jan  1 00:00:01 | 2026-12-31T11:00:05Z | 2026-12-31T11:00:01.000Z
    the turn in a zone behind UTC | America/Los_Angeles | Dec 31 20:00:00 | 2027-01-01T05:00:00Z | 2027-01-01T04:00:00.000Z
    next week's day is last year's | UTC | Nov 30 06:12:27 | 2026-11-23T12:00:00Z | 2025-11-30T06:12:27.000Z
    a leap day | UTC | Feb 29 06:12:27 | 2028-03-01T00:00:00Z | 2028-02-29T06:12:27.000Z
    a leap day of long ago | UTC | Feb 29 06:12:27 | 2027-03-01T00:00:00Z | 2024-02-29T06:12:27.000Z
    a leap day over 1900 | UTC | Feb 29 00:00:00 | 1903-03-01T00:00:00Z | 1896-02-29T00:00:00.000Z
    a leap second is the one before it | UTC | 2016-12-31T23:59:60Z | 2026-11-23T12:00:00Z | 2016-12-31T23:59:59.000Z
    a little ahead counts as now | UTC | Nov 23 12:05:00 | 2026-11-23T12:00:00Z | 2026-11-23T12:00:00.000Z
    further ahead | UTC | Nov 23 12:05:01 | 2026-11-23T12:00:00Z | ahead
    a wrong zone | UTC | Nov 24 13:59:59 | 2026-11-23T12:00:00Z | ahead
    next year | UTC | 2027-11-23T12:00:00Z | 2026-11-23T12:00:00Z | ahead
    # In Berlin, 03:00 to 02:00 on 25 October 2026, at 01:00Z.
    fold: first reading, now is before the second | Europe/Berlin | Oct 25 02:30:00 | 2026-10-25T00:45:00Z | 2026-10-25T00:30:00.000Z
    fold: the latest that is not after now | Europe/Berlin | Oct 25 02:30:00 | 2026-10-25T01:30:00Z | 2026-10-25T01:30:00.000Z
    fold: a second before | Europe/Berlin | Oct 25 02:30:00 | 2026-10-25T01:29:59Z | 2026-10-25T00:30:00.000Z
    fold: both after now | Europe/Berlin | Oct 25 02:30:00 | 2026-10-25T00:29:00Z | 2026-10-25T00:29:00.000Z
    fold: both far after now | Europe/Berlin | Oct 25 02:30:00 | 2026-10-25T00:24:00Z | ahead
    before the fold | Europe/Berlin | Oct 25 01:59:59 | 2026-10-25T12:00:00Z | 2026-10-24T23:59:59.000Z
    after the fold | Europe/Berlin | Oct 25 03:00:00 | 2026-10-25T12:00:00Z | 2026-10-25T02:00:00.000Z
    # 02:00 to 03:00 on 29 March 2026, at 01:00Z.
    gap: the earlier reading | Europe/Berlin | Mar 29 02:30:00 | 2026-03-29T12:00:00Z | 2026-03-29T00:30:00.000Z
    before the gap | Europe/Berlin | Mar 29 01:59:59 | 2026-03-29T12:00:00Z | 2026-03-29T00:59:59.000Z
    after the gap | Europe/Berlin | 2026-03-29 03:00:00 | 2026-03-29T12:00:00Z | 2026-03-29T01:00:00.000Z
    a fold of half an hour | Australia/Lord_Howe | Apr  5 01:45:00 | 2026-04-05T12:00:00Z | 2026-04-04T15:15:00.000Z
    a day that was left out | Pacific/Apia | 2011-12-30 12:00:00 | 2026-11-23T12:00:00Z | 2011-12-29T22:00:00.000Z
  `
    .split("\n")
    .filter((row) => row.includes("|"))
    .map((row) => row.trim().split(" | ") as [string, string, string, string, string]);

  test.each(rows)("%s: %s, %s at %s is %s", (_what, zone, stamp, now, instant) => {
    expect(at(zone, stamp, now)).toBe(instant);
  });

  test.each([
    "Nov 31 06:12:27",
    "Nov  0 06:12:27",
    "Nov 23 24:12:27",
    "Nov 23 06:60:27",
    "Nov 23 06:12:61",
    "Foo 23 06:12:27",
    "anF 23 06:12:27",
    "2026-02-29T06:12:27Z",
    "2100-02-29T06:12:27Z",
    "2026-13-01T06:12:27Z",
    "2026-00-01T06:12:27Z",
    "2026-11-00T06:12:27Z",
    "2026-11-23T06:12:27+24:00",
    "2026-11-23",
    "",
  ])("%j is no date", (stamp) => {
    expect(at("UTC", stamp, "2026-11-23T12:00:00Z")).toBe("stamp");
  });

  test("that is missing counts as now while live, and not in catch-up", () => {
    const now = "2026-11-23T12:00:00.000Z";
    expect(at("UTC", undefined, now, true)).toBe(now);
    expect(at("UTC", undefined, now)).toBe("undated");
  });
});

test("a zone that does not exist is refused", () => {
  expect(() => new StampReader("Europe/Bonn")).toThrow(RangeError);
});

const zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"];
const moments = fc.integer({ min: Date.parse("2020-01-01"), max: Date.parse("2035-01-01") });

/** RFC 3164 and the zone's wall clock, by Intl's own reckoning. */
function bsdStamp(zone: string, instant: number): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(instant);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("month")} ${of("day").padStart(2)} ${of("hour")}:${of("minute")}:${of("second")}`;
}

test("what a host wrote within half a year is read as the second it was written in, or a later reading in a fold", () => {
  const readers = new Map(zones.map((zone) => [zone, new StampReader(zone)]));
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      moments,
      fc.integer({ min: 0, max: 180 * day }),
      (zone, moment, age) => {
        const written = Math.floor(moment / 1000) * 1000;
        const now = written + age;
        const read = readers.get(zone)?.at(bsdStamp(zone, written), now, false);
        const instants = [written, written + 3_600_000, written + 1_800_000];
        expect(instants.slice(0, read === written ? 1 : 3)).toContain(read);
        if (read !== written) {
          expect(bsdStamp(zone, Number(read))).toBe(bsdStamp(zone, written));
        }
        expect(Number(read)).toBeLessThanOrEqual(now);
      },
    ),
    { numRuns: 3000 },
  );
});

test("no stamp comes to a moment after now", () => {
  const reader = new StampReader("Europe/Berlin");
  const digits = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, "0"));
  const stamps = fc
    .tuple(
      fc.constantFrom("Nov 23 ", "Feb 29 ", "2026-10-25T", "2027-03-28 "),
      digits,
      digits,
      digits,
    )
    .map(([date, ...time]) => date + time.join(":"));
  fc.assert(
    fc.property(stamps, moments, (stamp, now) => {
      const read = reader.at(stamp, now, true);
      if (typeof read === "number") expect(read).toBeLessThanOrEqual(now);
    }),
    { numRuns: 3000 },
  );
});

test("a cache that overflows answers as before", () => {
  const reader = new StampReader("Europe/Berlin");
  const now = Date.parse("2026-11-23T12:00:00Z");
  const first = reader.at("2026-07-01 12:00:00", now, false);
  for (let slot = 0; slot < 5000; slot++) {
    const wall = new Date(Date.UTC(2025, 0, 1) + slot * 900_000).toISOString().slice(0, 19);
    reader.at(wall, now, false);
  }
  expect(reader.at("2026-07-01 12:00:00", now, false)).toBe(first);
});
