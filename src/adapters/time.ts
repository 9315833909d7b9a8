/** Log stamps to instants: arithmetic on given numbers only. */
import type { Reason } from "./refusal.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A stamp this far ahead still counts as now: clocks of two hosts differ. */
const skew = 5 * minute;

/** A wrong zone puts a stamp this far ahead, and nothing further: without a year, it is then of an earlier year. */
const farthest = 26 * hour;

/** Every zone has changed its offset at quarters of an hour, and by quarters, for as long as there are logs. */
const quarter = 15 * minute;

/** Bounds the memory that replaying many years can take. */
const cached = 4096;

const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
const yearless = /^([A-Z][a-z]{2}) ([ 0-3]?\d) (\d\d):(\d\d):(\d\d)$/;
const dated =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?$/;

/** Reads the stamps of logs that are written in one zone. */
export class StampReader {
  readonly #zone: Intl.DateTimeFormat;
  /** For each quarter of an hour of the wall clock: the offsets that it can have, the greatest (earliest instant) first. */
  readonly #offsets = new Map<number, readonly number[]>();
  #nowQuarter = Number.NaN;
  #nowOffset = 0;
  #lastYear = 0;
  /** The last question, and its answer: many lines have the same stamp. */
  #last: { stamp: string; now: number; instant: number | undefined } | undefined;

  /**
   * Takes an IANA zone name, used for stamps that name no offset of their own.
   * @throws RangeError if there is no such zone
   */
  constructor(zone: string) {
    this.#zone = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  }

  /**
   * Gives the moment of a login in ms since 1970, never later than `now`, or the reason why its stamp may not count.
   * A missing year is the latest one that puts the stamp at most 26 hours ahead. Of the two readings in a fold (the
   * clock set back) the latest that is not after now counts; in a gap (the clock set forward) the earlier one.
   */
  at(stamp: string | undefined, now: number, live: boolean): number | Reason {
    if (stamp === undefined) return live ? now : "undated";
    const instant = this.instant(stamp, now);
    if (instant === undefined) return "stamp";
    if (instant > now + skew) return "ahead";
    return Math.min(instant, now);
  }

  /** The moment that a stamp means, be it behind or ahead of `now`; undefined if it is no date. */
  instant(stamp: string, now: number): number | undefined {
    if (this.#last?.stamp === stamp && this.#last.now === now) return this.#last.instant;
    const instant = this.#instant(stamp, now);
    this.#last = { stamp, now, instant };
    return instant;
  }

  #instant(stamp: string, now: number): number | undefined {
    const short = yearless.exec(stamp);
    if (short !== null) {
      const [, name = "", date, hours, minutes, seconds] = short;
      const month = months.indexOf(name) / 3;
      const time = timeOfDay(Number(hours), Number(minutes), Number(seconds));
      if (!Number.isInteger(month) || time === undefined) return undefined;
      const wall = this.#latestYear(month, Number(date), time, now);
      return wall === undefined ? undefined : this.#reading(wall, now);
    }
    const long = dated.exec(stamp);
    if (long === null) return undefined;
    const [, year, month, date, hours, minutes, seconds, fraction = "", utc, sign, ...offset] =
      long;
    const start = startOfDay(Number(year), Number(month) - 1, Number(date));
    const time = timeOfDay(Number(hours), Number(minutes), Number(seconds));
    if (start === undefined || time === undefined) return undefined;
    const wall = start + time + Number(fraction.slice(0, 3).padEnd(3, "0"));
    if (utc !== undefined) return wall;
    if (sign === undefined) return this.#reading(wall, now);
    const ahead = timeOfDay(Number(offset[0]), Number(offset[1]), 0);
    if (ahead === undefined) return undefined;
    return sign === "+" ? wall - ahead : wall + ahead;
  }

  #latestYear(month: number, date: number, time: number, now: number): number | undefined {
    this.#know(now);
    const limit = now + this.#nowOffset + farthest;
    // Between two leap days lie at most eight years.
    for (let back = 0; back <= 8; back++) {
      const start = startOfDay(this.#lastYear - back, month, date);
      if (start !== undefined && start + time <= limit) return start + time;
    }
    return undefined;
  }

  #reading(wall: number, now: number): number {
    let reading = Number.NaN;
    for (const offset of this.#offsetsOf(wall)) {
      const instant = wall - offset;
      if (Number.isNaN(reading) || instant <= now) reading = instant;
    }
    return reading;
  }

  #offsetsOf(wall: number): readonly number[] {
    const slot = Math.floor(wall / quarter);
    const known = this.#offsets.get(slot);
    if (known !== undefined) return known;
    const start = slot * quarter;
    // A zone's offset lies within 14 hours and jumps by at most 24, so these two instants lie on both sides of any change.
    const around = [this.#offset(start - 2 * day), this.#offset(start + 2 * day)];
    const both = [...new Set([Math.max(...around), Math.min(...around)])];
    const right = both.filter((offset) => this.#offset(start - offset) === offset);
    const offsets = right.length > 0 ? right : both.slice(0, 1);
    if (this.#offsets.size >= cached) this.#offsets.clear();
    this.#offsets.set(slot, offsets);
    return offsets;
  }

  #know(now: number): void {
    const slot = Math.floor(now / quarter);
    if (slot === this.#nowQuarter) return;
    this.#nowQuarter = slot;
    this.#nowOffset = this.#offset(now);
    this.#lastYear = new Date(now + this.#nowOffset + farthest).getUTCFullYear();
  }

  /** The zone's offset at an instant, in ms east of Greenwich. Slow: a few us. */
  #offset(instant: number): number {
    const text = this.#zone.format(instant);
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? [];
    const ms = Number(hours ?? 0) * hour + Number(minutes ?? 0) * minute;
    return sign === "-" ? -ms : ms;
  }
}

function timeOfDay(hours: number, minutes: number, seconds: number): number | undefined {
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  // A leap second counts as the second before it: never later.
  return hours * hour + minutes * minute + Math.min(seconds, 59) * 1000;
}

function startOfDay(year: number, month: number, date: number): number | undefined {
  if (month < 0 || month > 11 || date < 1 || date > daysIn(year, month)) return undefined;
  return Date.UTC(year, month, date);
}

function daysIn(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  // 31 and 30 in turn, with two long months in a row at July and August.
  return (month + (month > 6 ? 1 : 0)) % 2 === 0 ? 31 : 30;
}
