/** A crowd: numbered clients that log in one after the other, so that a table tells which moment it shows. */

import { appendFileSync, writeFileSync } from "node:fs";
import type { Daemon } from "./lab.ts";

interface CrowdParts {
  /** The log that the logins are written to. */
  readonly log: string;
  /** Milliseconds that a login lets its client relay. */
  readonly ttl: number;
  /** How many grants are live, once it goes on as it began. */
  readonly size: number;
  /** Clients that are in at any time: they log in again and again. */
  readonly residents?: readonly string[];
}

/** Milliseconds between two bursts of logins; those of one burst have the same stamp. */
const beat = 20;
/** How often residents log in within one ttl. */
const renewals = 8;
/** Milliseconds by which popgate may see the order of two ends otherwise than their stamps have it: it reads two clocks. */
const blur = 5;

/** The clients, their logins and what a table may hold of them. */
export class Crowd implements Daemon {
  readonly name = "crowd";
  readonly #parts: CrowdParts;
  /** When each of them logged in, by its number; ms since 1970. */
  readonly #stamps: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #began = 0;
  #before = 0;
  #greeted = 0;

  constructor(parts: CrowdParts) {
    this.#parts = parts;
  }

  /** How many have logged in. */
  get count(): number {
    return this.#stamps.length;
  }

  /** Writes the log of the last ttl, so that popgate starts with about as many grants as it will have, and goes on from there. */
  start(): Promise<void> {
    this.#fill();
    this.#began = performance.now();
    this.#before = this.count;
    this.#timer = setInterval(() => this.#burst(), beat);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  said(): string {
    return `${this.count} have logged in`;
  }

  /** When the grant of the client with this number is over; ms since 1970. */
  endOf(n: number): number {
    return (this.#stamps[n] ?? Number.NaN) + this.#parts.ttl;
  }

  /**
   * What is wrong with the keys of a table, or undefined. They have to be those of one moment: all that logged in from some
   * number on up to another, and never nobody. With `over`, ms since 1970, none whose grant was over by then may be among them; with
   * `newest` that number, or a later one, has to be there.
   */
  faultOf(
    keys: readonly string[],
    { over, newest }: { readonly over?: number; readonly newest?: number },
  ): string | undefined {
    const residents = new Set(this.#parts.residents);
    const numbers: number[] = [];
    for (const key of keys) {
      if (residents.has(key)) continue;
      const n = numberOf(key);
      if (n === undefined || n >= this.count) return `${key} never logged in`;
      numbers.push(n);
    }
    numbers.sort((a, b) => a - b);
    const [first] = numbers;
    const last = numbers.at(-1);
    if (newest !== undefined && (last === undefined || last < newest)) {
      return `it ends with ${last ?? "nobody"} instead of ${newest}`;
    }
    if (first === undefined) return "nobody is in it";
    if (over !== undefined && this.endOf(first) <= over) {
      return `the grant of ${first} was over ${over - this.endOf(first)} ms before`;
    }
    let next = first;
    for (const n of numbers) {
      if (n < next) return `${n} is in it twice`;
      for (; next < n; next++) {
        if (this.endOf(next) - this.endOf(first) > blur) {
          return `${next} is not in it, although ${first} and ${last} are`;
        }
      }
      next = n + 1;
    }
    return undefined;
  }

  #fill(): void {
    const { log, ttl, size } = this.#parts;
    const now = Date.now();
    const lines = this.#greetings(now);
    // The oldest of them are over before popgate has read them.
    for (let n = 0; n < size; n++) lines.push(this.#login(now - ttl + Math.ceil((n * ttl) / size)));
    writeFileSync(log, lines.join(""));
  }

  #burst(): void {
    const { log, ttl, size, residents = [] } = this.#parts;
    const now = Date.now();
    const due = this.#before + ((performance.now() - this.#began) * size) / ttl;
    const lines: string[] = [];
    if (residents.length > 0 && now >= this.#greeted + ttl / renewals) {
      lines.push(...this.#greetings(now));
    }
    while (this.count < due) lines.push(this.#login(now));
    if (lines.length > 0) appendFileSync(log, lines.join(""));
  }

  #greetings(now: number): string[] {
    this.#greeted = now;
    return (this.#parts.residents ?? []).map((client) => lineOf(now, `at-${client}`, client));
  }

  #login(at: number): string {
    const n = this.#stamps.push(at) - 1;
    return lineOf(at, `user${n}`, clientOf(n));
  }
}

/** Above 127.16.0.0 there are nearly 16 million addresses of the lab's own. */
function clientOf(n: number): string {
  const high = Math.floor(n / 65_536);
  return `127.${16 + high}.${Math.floor(n / 256) % 256}.${n % 256}`;
}

function numberOf(client: string): number | undefined {
  const [net = 0, high = 0, middle = 0, low = 0] = client.split(".").map(Number);
  const n = ((high - 16) * 256 + middle) * 256 + low;
  return net === 127 && n >= 0 && clientOf(n) === client ? n : undefined;
}

function lineOf(at: number, user: string, client: string): string {
  return `${new Date(at).toISOString()} mx dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${client}, lip=192.0.2.1, mpid=1, session=<crowd>\n`;
}
