/** A publisher whose clock is moved by hand, and whose disk is a list. */
import { expect } from "vitest";
import type { Client } from "../../src/client.ts";
import { Publisher } from "../../src/maps/publisher.ts";
import { ManualClock, settled } from "../manual-clock.ts";
import { client } from "./clients.ts";

/** One table, its live clients, and what was written. */
export class Bench {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  /** What was written, and when. */
  readonly written: { at: number; clients: readonly Client[] }[] = [];
  /** How long a write takes, in ms. */
  cost = 0;
  /** Why writes fail, if they do. */
  failure: Error | undefined;
  attempts: number[] = [];
  /** When the last resort was taken, or tried; and why it fails, if it does. */
  resorts: number[] = [];
  resortFailure: Error | undefined;
  /** How long the last resort takes, in ms. */
  resortCost = 0;
  /** Whether the map is as the last resort left it. */
  empty = true;
  /** How far ahead each write looked. */
  aheads: number[] = [];
  clients: Client[] = [];
  underWay = 0;
  readonly publisher: Publisher;
  readonly #start = this.clock.monotonic();

  constructor() {
    const tell =
      (level: string) =>
      (event: string, fields = {}) =>
        void this.told.push(`${String(this.time)} ${level} ${event} ${JSON.stringify(fields)}`);
    this.publisher = new Publisher({
      name: "hash:/x/relay",
      clock: this.clock,
      log: { info: tell("info"), warning: tell("warning"), error: tell("error") },
      clients: (ahead) => {
        this.aheads.push(ahead);
        return this.clients;
      },
      mostAhead: () => 180_000,
      limit: () => 60_000,
      resort: async () => {
        this.resorts.push(this.time);
        if (this.resortCost > 0) await this.#passed(this.resortCost);
        if (this.resortFailure !== undefined) throw this.resortFailure;
      },
      isEmpty: () => this.empty,
      write: (clients) => this.#write([...clients]),
    });
  }

  /** Milliseconds since the start. */
  get time(): number {
    return this.clock.monotonic() - this.#start;
  }

  /** One client more, or one fewer. */
  change(change: "addition" | "expiry" | "removal"): void {
    if (change === "addition") {
      this.clients = [
        ...this.clients,
        client(`192.0.${String(this.clients.length >> 8)}.${String(this.clients.length & 255)}`),
      ];
    } else this.clients = this.clients.slice(1);
    this.publisher.request(change);
  }

  /** Lets what was asked for begin, and time pass. */
  async pass(ms: number, step?: number): Promise<void> {
    await settled();
    await this.clock.pass(ms, step);
  }

  async #write(clients: readonly Client[]): Promise<"written"> {
    this.attempts.push(this.time);
    this.underWay += 1;
    expect(this.underWay).toBe(1);
    try {
      if (this.cost > 0) await this.#passed(this.cost);
      if (this.failure !== undefined) throw this.failure;
      this.written.push({ at: this.time, clients });
      return "written";
    } finally {
      this.underWay -= 1;
    }
  }

  #passed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}

/** When each write ended, in ms since the start. */
export function times({ written }: Bench): number[] {
  return written.map(({ at }) => at);
}
