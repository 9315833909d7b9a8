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
/** Seconds until what the start left to do is done; and of each measurement: two thousand ends, and a save of the largest state. */
const warmUp = 10;
const seconds = 40;
/** Milliseconds: no grant leaves the table so much sooner than at its end, or it is lost. */
const ahead = 20_000;
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
  const columns = [
    "p50",
    "p99",
    "max",
    "ends",
    "soonest",
    "late p50",
    "latest",
    "a publish",
    "by hand",
  ];
  printTable([title, ...columns, "versions/s", "CPU of a core", "aim"], rows);
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
  /** By client: when its line was written, in monotonic ms. */
  #coming = new Map();
  /** By client: when its time is over, and since when the table has not had it, in ms since 1970. */
  #going = new Map();
  #latencies = [];
  #lateness = [];
  #versions = 0;
  /** Milliseconds of popgate's own publishes. */
  #took = [];
  #measuring = false;

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
      await this.#logIn(warmUp);
      this.#measuring = true;
      const start = { cpu: this.#daemon.cpu, at: performance.now() };
      await this.#logIn(seconds);
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

  async #logIn(seconds) {
    const start = performance.now();
    for (let next = start; next < start + seconds * 1000; next += 1000 / rate) {
      await pause(Math.max(0, next - performance.now()));
      this.#login();
    }
  }

  #login() {
    const number = this.#stamps.push(Date.now()) - 1;
    this.#coming.set(clientOf(number), performance.now());
    appendFileSync(this.#log, loginOf(number, { at: this.#stamps[number] }));
  }

  /** No client of the first version is about to end, nor are those that have only just come. */
  get #ahead() {
    return Math.min(ahead, this.#ttl / 4);
  }

  /** Asks each version of the table for all that may have changed in it. */
  async #watch(signal) {
    const index = this.#table.index(this.#path);
    let ending = this.#stamps.findIndex((at) => at + this.#ttl > Date.now());
    let before = identityOf(index);
    let asks = 0;
    while (!signal.aborted) {
      const now = identityOf(index);
      if (now !== before) {
        before = now;
        if (this.#measuring) {
          this.#versions++;
          void this.#daemon.status().then(({ maps: [{ took_ms: took }] }) => this.#took.push(took));
        }
        // A version may be complete a moment after its first byte was seen.
        asks = 3;
      }
      for (; this.#stamps[ending] + this.#ttl <= Date.now() + this.#ahead; ending++) {
        this.#going.set(clientOf(ending), { end: this.#stamps[ending] + this.#ttl });
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
      if (this.#measuring) this.#latencies.push(performance.now() - this.#coming.get(client));
      this.#coming.delete(client);
    }
    for (const client of going) {
      const { end, gone = asked } = this.#going.get(client);
      if (held.has(client)) this.#going.set(client, { end });
      else if (end > asked) this.#going.set(client, { end, gone });
      else {
        if (this.#measuring) this.#lateness.push(gone - end);
        this.#going.delete(client);
      }
    }
  }

  /** Milliseconds to build so large a table without popgate, at most; nothing is rendered, synced or compared. */
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
    const [soonest, latest] = [Math.min(...this.#lateness), Math.max(...this.#lateness)];
    const figures = [
      percentile(this.#latencies, 0.5),
      percentile(this.#latencies, 0.99),
      Math.max(...this.#latencies),
    ];
    const took = Math.max(...this.#took);
    const bound = aims.late + took;
    const wanted = [aim(`latest <= ${bound.toFixed(0)}`, latest <= bound)];
    if (this.#size === sizes.at(-1) && this.#table.id !== "hash") {
      wanted.push(aim(`CPU <= ${aims.cpu} %`, share * 100 <= aims.cpu));
    }
    return [
      `  ${this.#table.name}, ${this.#size.toLocaleString("en")} grants`,
      ...figures.map((ms) => ms.toFixed(0)),
      `${this.#lateness.length}`,
      ...[soonest, percentile(this.#lateness, 0.5), latest, took, byHand].map((ms) =>
        ms.toFixed(0),
      ),
      (this.#versions / wall).toFixed(1),
      `${(share * 100).toFixed(1)} %`,
      wanted.join(", "),
    ];
  }
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
