/** How long a login takes from its line in the log to the table's answer, while the daemon was idle before. */

import { appendFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { percentile } from "./figures.mjs";
import { clientOf, firstLogins, loginOf } from "./logins.mjs";
import { Daemon } from "./popgate.mjs";
import { Random } from "./random.mjs";
import { aim, printTable } from "./table.mjs";
import { tablesHere } from "./tables.mjs";

const logins = 100;
const sizes = [0, 1000];
/** Milliseconds between two logins of one daemon, at least, and as many times what the last one took: its pace is over then. */
const quiet = 500;
const costs = 12;
/** Milliseconds; a login that takes longer is lost. */
const deadline = 10_000;
const aimed = 40;

/** Prints the figures. */
export async function measureLatency(directory) {
  const tables = await tablesHere(directory);
  const rigs = tables.flatMap((table) => sizes.map((size) => new Rig(directory, table, size)));
  for (const rig of rigs) await rig.start();
  const random = new Random(1);
  // One after the other, over and over: what disturbs this machine for a while disturbs all of them.
  for (let login = 0; login < logins; login++) {
    for (const rig of rigs) {
      // Not in step with anything that the daemon does by a timer.
      await pause((quiet / rigs.length) * (1 + random.fraction()));
      await rig.rest();
      await rig.login();
      await rig.byHand();
    }
  }
  for (const rig of rigs) await rig.stop();

  const heading = `login line -> table answers, ms, ${logins} logins`;
  const columns = [heading, "p50", "p95", "p99", "max", "of by hand's p50", "aim"];
  printTable(
    columns,
    rigs.flatMap((rig) => rig.rows()),
  );
}

/** One daemon, its log and its table. */
class Rig {
  #table;
  #size;
  #log;
  #daemon;
  #other;
  #count;
  #last = 0;
  #replaced = [];
  #answered = [];
  #byHand = [];

  constructor(directory, table, size) {
    const own = join(directory, `latency-${table.settings.type ?? "exim"}-${size}`);
    mkdirSync(own);
    this.#table = table;
    this.#size = size;
    this.#count = size;
    this.#log = join(own, "mail.log");
    this.#other = join(own, "by-hand");
    writeFileSync(this.#log, firstLogins(size));
    this.#daemon = new Daemon(join(own, "popgate"), {
      log: this.#log,
      ttl: "1h",
      ...table.settings,
    });
  }

  async start() {
    const grants = await this.#daemon.start();
    if (grants !== this.#size) throw new Error(`${grants} live grants instead of ${this.#size}`);
    await this.#table.build(this.#other, []);
  }

  async rest() {
    const ms = Math.max(quiet, costs * (this.#answered.at(-1) ?? 0));
    await pause(Math.max(0, this.#last + ms - performance.now()));
  }

  async login() {
    const number = this.#count++;
    const path = this.#daemon.table;
    const index = this.#table.index(path);
    const before = identityOf(index);
    const began = performance.now();
    appendFileSync(this.#log, loginOf(number));
    for (;;) {
      while (identityOf(index) === before) {
        if (performance.now() - began > deadline) throw new Error(`login ${number} was lost`);
        await pause(1);
      }
      const replaced = performance.now() - began;
      if (!(await this.#table.holds(path, clientOf(number)))) continue;
      this.#replaced.push(replaced);
      this.#last = performance.now();
      this.#answered.push(this.#last - began);
      return;
    }
  }

  /** The same work without popgate: a table with as many clients is built, put there, and asked. */
  async byHand() {
    const clients = Array.from({ length: this.#count }, (_, number) => clientOf(number));
    const began = performance.now();
    await this.#table.build(this.#other, clients);
    await this.#table.holds(this.#other, clients.at(-1));
    this.#byHand.push(performance.now() - began);
  }

  rows() {
    const name = `${this.#table.name}, from ${this.#size.toLocaleString("en")} grants`;
    const base = percentile(this.#byHand, 0.5);
    const p99 = percentile(this.#answered, 0.99);
    const verdict = this.#size === 0 ? "" : aim(`p99 < ${aimed}`, p99 < aimed);
    return [
      row(`  ${name}`, this.#answered, base, verdict),
      row("    of these, until the table was replaced", this.#replaced, base),
      row("    by hand: build, rename, ask", this.#byHand, base),
    ];
  }

  async stop() {
    await this.#daemon.stop();
  }
}

function identityOf(path) {
  const { ino, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${mtimeNs}`;
}

function row(name, times, base, verdict = "") {
  const p50 = percentile(times, 0.5);
  const figures = [p50, percentile(times, 0.95), percentile(times, 0.99), Math.max(...times)];
  return [name, ...figures.map((ms) => ms.toFixed(1)), `${(p50 / base).toFixed(2)} x`, verdict];
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
