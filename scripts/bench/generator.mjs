/** Writes mail logs that look real, the same bytes for the same options, and knows what a reader must find in them. */

import { open } from "node:fs/promises";
import { stopped } from "../command.mjs";
import { noise } from "./noise.mjs";
import { Pool } from "./pool.mjs";
import { Random } from "./random.mjs";
import { courier, end, failure, forgery, login } from "./sessions.mjs";
import { stamper } from "./stamps.mjs";
import { Words } from "./words.mjs";

export const defaults = {
  lines: 100_000,
  /** Of the stamps: `bsd` (RFC 3164, without a zone; they are UTC) or `rfc3339`. */
  format: "bsd",
  /** How many addresses there are, the share of IPv6 among them, and how unequally often they come. */
  clients: 20_000,
  ipv6: 0.15,
  skew: 1,
  /** Lines per second of log time, and its beginning. */
  rate: 50,
  start: "2026-03-01T00:00:00Z",
  host: "mx1",
  seed: 1,
  /** The share of each kind of line; the rest is noise of other programs. */
  mix: { login: 0.04, failure: 0.02, courier: 0.01, end: 0.04, forgery: 0.001 },
};

/** Characters that are written at once. */
const batch = 1_048_576;

/** One log. */
export class Generator {
  #options;
  #random;
  #words;
  #pool;
  #ladder;
  #counts;
  #dovecot = new Set();
  #courier = new Set();

  constructor(options = {}) {
    this.#options = { ...defaults, ...options };
    const { seed, clients: size, ipv6, skew, mix } = this.#options;
    this.#random = new Random(seed);
    this.#words = new Words(this.#random);
    this.#pool = new Pool(this.#random, { size, ipv6, skew });
    let sum = 0;
    // In a fixed order: it decides which number means which kind.
    this.#ladder = Object.keys(defaults.mix).map((kind) => {
      sum += mix[kind] ?? 0;
      return { kind, below: sum * 0x100000000 };
    });
    this.#counts = Object.fromEntries([...Object.keys(defaults.mix), "noise"].map((k) => [k, 0]));
  }

  /** Gives the lines, in pieces of many. */
  *pieces() {
    const { lines, format, start, rate, host } = this.#options;
    const stamp = stamper(format);
    let microseconds = Date.parse(start) * 1000;
    let text = "";
    for (let line = 0; line < lines; line++) {
      text += `${stamp(microseconds)} ${host} ${this.#message()}\n`;
      microseconds += Math.round((2e6 * this.#random.fraction()) / rate);
      if (text.length < batch) continue;
      yield text;
      text = "";
    }
    yield text;
  }

  /** What a reader must find in the lines given so far. */
  get truth() {
    const clients = new Set([...this.#dovecot, ...this.#courier]);
    return {
      logins: { dovecot: this.#counts.login, courier: this.#counts.courier },
      clientsOfDovecot: this.#dovecot.size,
      clients: [...clients].map((index) => this.#pool.at(index)).sort(),
      counts: this.#counts,
    };
  }

  #message() {
    const number = this.#random.word();
    const kind = this.#ladder.find(({ below }) => number < below)?.kind ?? "noise";
    this.#counts[kind]++;
    const words = this.#words;
    const pool = this.#pool;
    switch (kind) {
      case "login":
        return login(words, this.#client(this.#dovecot));
      case "courier": {
        const address = this.#client(this.#courier);
        // oxlint-disable-next-line no-bitwise -- one bit decides
        const imap = (this.#random.word() & 1) === 1;
        return courier(words, address, { imap, secure: this.#random.fraction() < 0.4 });
      }
      case "failure":
        return failure(words, pool.any());
      case "end":
        return end(words, pool.at(pool.frequent()));
      case "forgery":
        return forgery(words, pool);
      default:
        return this.#random.pick(noise)(words, pool);
    }
  }

  #client(seen) {
    const index = this.#pool.frequent();
    seen.add(index);
    return this.#pool.at(index);
  }
}

/** Writes a log to `path`, and resolves to its size in bytes and its truth. */
export async function writeLog(path, options) {
  const generator = new Generator(options);
  const file = await open(path, "w");
  let bytes = 0;
  try {
    for (const piece of generator.pieces()) {
      stopped.throwIfAborted();
      bytes += (await file.write(piece, null, "latin1")).bytesWritten;
    }
  } finally {
    await file.close();
  }
  return { bytes, ...generator.truth };
}
