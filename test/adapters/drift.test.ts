/** A daemon that changed its words is told of, and nothing else is. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Drift, sample, type Sign } from "../../src/adapters/drift.ts";
import { adapters, defaultAdapters } from "../../src/adapters/index.ts";
import { isLogin, Matcher } from "../../src/adapters/matcher.ts";
import { journalEntryOf } from "../../src/sources/journal-entry.ts";
import { ManualClock } from "../manual-clock.ts";
import { linesOf } from "./judged.ts";

const minute = 60_000;
const hour = 60 * minute;
const fields = "user=<ann>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7, session=<a>";
const dovecot = (message: string) => `Nov 23 06:00:00 mx dovecot: ${message}`;
const login = dovecot(`imap-login: Login: ${fields}`);
const changed = dovecot(`imap-login: Logged on: ${fields}`);
const failed = dovecot(`imap-login: Disconnected (auth failed, 1 attempts in 2 secs): ${fields}`);
const named = dovecot(
  `imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<Login: ann>, rip=192.0.2.7`,
);
const sieve = dovecot(`managesieve-login: Login: ${fields}`);
const uw = "Nov 23 06:00:00 mx imapd[7]: Login user=ann host=mail.example.net [192.0.2.7]";
const courier =
  "Nov 23 06:00:00 mx imapd: LOGIN, user=ann, ip=[::ffff:192.0.2.7], port=[5], protocol=IMAP";
const unheard =
  "Nov 23 06:00:00 mx imapd: WELCOME, user=ann, ip=[::ffff:192.0.2.7], port=[5], protocol=IMAP";
const connection = "Nov 23 06:00:00 mx imapd: Connection, ip=[::ffff:192.0.2.7]";

/** One source, its clock, and the signs so far. */
class Stage {
  readonly clock = new ManualClock("2026-11-23T06:00:00Z");
  readonly told: string[] = [];
  readonly signs: Sign[] = [];
  readonly #matcher = new Matcher(defaultAdapters, { zone: "UTC" });
  readonly #drift = new Drift(defaultAdapters);

  hear(text: string, prefix?: Parameters<Matcher["entryOf"]>[0]["prefix"]): void {
    const line = { bytes: Buffer.from(text), live: true, ...(prefix && { prefix }) };
    const match = this.#matcher.match(line, this.clock.now());
    const now = this.clock.monotonic();
    if (isLogin(match)) return this.#drift.login(match.adapter, now);
    this.#drift.look(this.#matcher.entryOf(line), now);
  }

  former(adapter: string): void {
    this.#drift.login(adapter, undefined);
  }

  step(): void {
    const minutes = (this.clock.monotonic() - 1000) / minute;
    for (const sign of this.#drift.step(this.clock.monotonic())) {
      this.signs.push(sign);
      this.told.push(`${String(minutes)} ${sign.kind} ${sign.adapter}`);
    }
  }
}

/** For so many minutes, these lines every minute. */
type Scene = readonly [minutes: number, ...lines: string[]];

function played(...scenes: readonly Scene[]): Stage {
  const stage = new Stage();
  for (const [minutes, ...lines] of scenes) {
    for (let passed = 0; passed < minutes; passed++) {
      for (const line of lines) stage.hear(line);
      stage.step();
      stage.clock.advance(minute);
    }
  }
  return stage;
}

const day: readonly Scene[] = [
  [960, courier, unheard],
  [480, unheard],
];

const cases: readonly (readonly [name: string, scenes: readonly Scene[], told: string[]])[] = [
  [
    "another word",
    [
      [60, login],
      [30, changed],
    ],
    ["69 misses dovecot"],
  ],
  [
    "another word for long: once an hour",
    [
      [60, login],
      [150, changed],
    ],
    ["69 misses dovecot", "129 misses dovecot", "189 misses dovecot"],
  ],
  ["another word since before the start", [[30, changed]], ["9 misses dovecot"]],
  [
    "another word, and the right one again",
    [
      [60, login],
      [20, changed],
      [5, login],
    ],
    ["69 misses dovecot", "80 well dovecot"],
  ],
  [
    "a word that nobody thought of",
    [
      [60, courier],
      [100, unheard, unheard, unheard, unheard, unheard],
      [1, courier],
    ],
    ["119 silence courier", "160 well courier"],
  ],
  ["lines of a daemon that never had a login", [[600, unheard, unheard]], []],
  ["a quiet log", [[60, login], [6000]], []],
  [
    "a burst, and a quiet log",
    [[60, courier], [10, ...Array<string>(50).fill(unheard)], [600]],
    [],
  ],
  [
    "guessed passwords",
    [
      [60, login],
      [600, failed, failed, named, named],
    ],
    [],
  ],
  ["near misses among logins", [[600, login, changed, changed]], []],
  [
    "nights: the first one teaches",
    [...day, ...day, ...day],
    ["1258 silence courier", "1440 well courier"],
  ],
  [
    "another service's logins: the first row teaches",
    [
      [12, sieve],
      [1, login],
      [12, sieve],
      [1, login],
      [29, sieve],
      [1, login],
    ],
    ["9 misses dovecot", "12 well dovecot"],
  ],
  [
    "another daemon in the place of one",
    [
      [60, uw],
      [600, courier, connection],
    ],
    [],
  ],
];

describe("what is told, and in which minute", () => {
  test.each(cases)("%s", (_name, scenes, told) => {
    expect(played(...scenes).told).toEqual(told);
  });

  test("with what was seen", () => {
    expect(played([60, login], [30, changed]).signs).toEqual([
      {
        kind: "misses",
        adapter: "dovecot",
        count: 10,
        shape: "imap-login: Logged on: user=<*>, method=*, rip=*, lip=*, mpid=*, session=<*>",
        closest: {
          adapter: "dovecot",
          at: 12,
          expected: expect.stringMatching(/^\(\?:Login\|Logged in\): /) as string,
        },
      },
    ]);
  });

  test("of an adapter whose logins were written before the start", () => {
    const stage = new Stage();
    stage.former("courier");
    stage.step();
    for (let passed = 0; passed <= 60; passed++) {
      for (let count = 0; count < 5; count++) stage.hear(unheard);
      stage.step();
      stage.clock.advance(minute);
    }
    expect(stage.signs).toEqual([{ kind: "silence", adapter: "courier", ms: hour, lines: 305 }]);
  });
});

describe("what nobody needs to hear", () => {
  test.each(readdirSync(new URL("../corpus/lab", import.meta.url)))("%s", (name) => {
    const stage = new Stage();
    for (const line of linesOf(`corpus/lab/${name}`)) {
      const entry = name.endsWith(".json.log") ? journalEntryOf(line) : undefined;
      if (entry === undefined) stage.hear(line);
      else if (entry.message !== undefined) stage.hear(entry.message.toString(), entry.prefix);
      stage.clock.advance(minute);
      stage.step();
    }
    expect(stage.signs).toEqual([]);
  });
});

test("a sample of what holds no marker is looked at, of each program", () => {
  const matcher = new Matcher(adapters, { zone: "UTC" });
  const passed = (text: string, times: number) => {
    const bytes = Buffer.from(text);
    let count = 0;
    for (let time = 0; time < times; time++) if (matcher.wants(bytes, 0, bytes.length)) count++;
    return count;
  };
  const popa3d = "Nov 23 06:00:00 mx popa3d[7]: Hello";
  const stranger = "Nov 23 06:00:00 mx postfix/smtpd[7]: connect from mail.example.net[192.0.2.7]";
  expect(passed(unheard, 100)).toBe(0);
  for (const _ of [1, 2]) {
    matcher.letStray(sample);
    expect(passed(unheard, 1000)).toBe(sample);
    expect(passed(popa3d, 1000)).toBe(sample);
    expect(passed(stranger, 1000)).toBe(0);
  }
});
