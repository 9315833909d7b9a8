/** Clients come and go: how long a login takes to reach the table, how late an end does, and what it costs. */

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { percentile } from "./figures.mjs";
import { clientOf, firstLogins, loginOf } from "./logins.mjs";
import { Daemon } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";
import { identityOf, tablesHere } from "./tables.mjs";

const sizes = [1000, 10_000, 100_000];
/** Logins a second, and as many ends. */
const rate = 50;
/** Seconds of each measurement: a thousand ends. */
const seconds = 21;
/** Milliseconds that whatever is under way at the end may take. */
const patience = 15_000;
const aims = { cpu: 12, late: 1000 };

/** Prints the figures; false if a client came to the table before it logged in, or was lost. */
export async function measureChurn(directory) {
  const rows = [];
  for (const table of await tablesHere(directory)) {
    for (const size of sizes) {
      const rig = new Rig(join(directory, `churn-${table.id}-${size}`), table, size);
      rows.push(await rig.measure());
    }
  }
  const title = `${rate} logins and ${rate} ends a second, ms`;
  const columns = ["p50", "p99", "max", "ends", "late p50", "latest", "by hand", "versions/s"];
  printTable([title, ...columns, "CPU of a core", "aim"], rows);
}

class Rig {
  #table;
  #size;
  #log;
  #daemon;
  #other;
  #path;
  /** When the first logins were, and those that came later; ms since 1970. */
  #stamps = [];
  #ttl;
  /** By client: when its line was written, in monotonic ms, or when it is over, in ms since 1970. */
  #coming = new Map();
  #going = new Map();
  #latencies = [];
  #lateness = [];
  #versions = 0;

  constructor(directory, table, size) {
    mkdirSync(directory);
    this.#table = table;
    this.#size = size;
    this.#ttl = (size / rate) * 1000;
    this.#log = join(directory, "mail.log");
    this.#other = join(directory, "by-hand");
    this.#daemon = new Daemon(join(directory, "popgate"), {
      log: this.#log,
      ttl: `${this.#ttl / 1000}s`,
      ...table.settings,
    });
    this.#path = this.#daemon.table;
  }

  async measure() {
    const byHand = await this.#byHand();
    const began = Date.now();
    const stampOf = (number) => began - this.#ttl + Math.ceil(((number + 1) * 1000) / rate);
    writeFileSync(this.#log, firstLogins(this.#size, stampOf));
    for (let number = 0; number < this.#size; number++) this.#stamps.push(stampOf(number));
    try {
      await this.#daemon.start();
      const { cpu, wall } = await this.#churn();
      return this.#row(cpu / wall, byHand, wall);
    } finally {
      await this.#daemon.stop();
    }
  }

  async #churn() {
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      const start = { cpu: this.#daemon.cpu, at: performance.now() };
      const until = start.at + seconds * 1000;
      for (let next = start.at; next < until; next += 1000 / rate) {
        await pause(Math.max(0, next - performance.now()));
        this.#login();
      }
      const wall = (performance.now() - start.at) / 1000;
      const cpu = this.#daemon.cpu - start.cpu;
      const measured = { cpu, wall };
      const end = performance.now() + patience;
      while (this.#coming.size > 0 && performance.now() < end) await pause(20);
      if (this.#coming.size > 0) throw new Error(`${this.#coming.size} logins were lost`);
      return measured;
    } finally {
      over.abort();
      await watching;
    }
  }

  #login() {
    const number = this.#stamps.push(Date.now()) - 1;
    this.#coming.set(clientOf(number), performance.now());
    appendFileSync(this.#log, loginOf(number, { at: this.#stamps[number] }));
  }

  /** Asks the table again and again for all that may have changed in it. */
  async #watch(signal) {
    const index = this.#table.index(this.#path);
    let ended = this.#stamps.findIndex((at) => at + this.#ttl > Date.now());
    let before = identityOf(index);
    let asks = 0;
    while (!signal.aborted) {
      const now = identityOf(index);
      if (now !== before) {
        before = now;
        this.#versions++;
        // A version may be complete a moment after its first byte was seen.
        asks = 3;
      }
      for (; this.#stamps[ended] + this.#ttl <= Date.now(); ended++) {
        this.#going.set(clientOf(ended), this.#stamps[ended] + this.#ttl);
      }
      if (asks === 0) {
        await pause(1);
        continue;
      }
      asks--;
      await this.#ask();
    }
  }

  async #ask() {
    const asked = Date.now();
    const coming = [...this.#coming.keys()];
    const going = [...this.#going.keys()];
    const held = await this.#table.among(this.#path, [...coming, ...going]);
    for (const client of coming.filter((client) => held.has(client))) {
      this.#latencies.push(performance.now() - this.#coming.get(client));
      this.#coming.delete(client);
    }
    for (const client of going.filter((client) => !held.has(client))) {
      this.#lateness.push(asked - this.#going.get(client));
      this.#going.delete(client);
    }
  }

  /** Milliseconds to build so large a table without popgate, at most. */
  async #byHand() {
    const clients = Array.from({ length: this.#size }, (_, number) => clientOf(number));
    const times = [];
    for (let time = 0; time < 5; time++) {
      const began = performance.now();
      await this.#table.build(this.#other, clients);
      times.push(performance.now() - began);
    }
    return Math.max(...times);
  }

  #row(share, byHand, wall) {
    const latest = Math.max(...this.#lateness);
    const figures = [
      percentile(this.#latencies, 0.5),
      percentile(this.#latencies, 0.99),
      Math.max(...this.#latencies),
    ];
    const bound = aims.late + byHand;
    const wanted = [aim(`latest <= ${bound.toFixed(0)}`, latest <= bound)];
    if (this.#size === sizes.at(-1) && this.#table.id !== "hash") {
      wanted.push(aim(`CPU <= ${aims.cpu} %`, share * 100 <= aims.cpu));
    }
    return [
      `  ${this.#table.name}, ${this.#size.toLocaleString("en")} grants`,
      ...figures.map((ms) => ms.toFixed(0)),
      `${this.#lateness.length}`,
      ...[percentile(this.#lateness, 0.5), latest, byHand].map((ms) => ms.toFixed(0)),
      (this.#versions / wall).toFixed(1),
      `${(share * 100).toFixed(1)} %`,
      wanted.join(", "),
    ];
  }
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
