/** Logins at a daemon that was idle before, one at a time: how long until they have come through. */

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { percentile } from "./figures.mjs";
import { clientOf, firstLogins, loginOf } from "./logins.mjs";
import { Daemon } from "./popgate.mjs";
import { Random } from "./random.mjs";
import { identityOf } from "./tables.mjs";

/** Milliseconds between two logins of one daemon, at least, and as many times what the last one took: its pace is over then. */
const quiet = 500;
const costs = 12;
/** Milliseconds; a login that takes longer is lost. */
const deadline = 10_000;

/**
 * Has each of the rigs log in `logins` times, those with 100,000 grants a tenth of it. One after the other, over and over:
 * what disturbs this machine for a while disturbs all of them.
 */
export async function logInAt(rigs, logins) {
  const random = new Random(1);
  for (let login = 0; login < logins; login++) {
    const due = rigs.filter(({ size }) => size < 100_000 || login % 10 === 0);
    for (const rig of due) {
      // Not in step with anything that the daemon does by a timer.
      await pause((quiet / due.length) * (1 + random.fraction()));
      await rig.rest();
      await rig.login();
      await rig.byHand();
    }
  }
}

/** One daemon, its log and its table. */
export class Rig {
  table;
  size;
  #log;
  #daemon;
  #other;
  #count;
  #passed;
  #clientOf;
  #last = 0;
  #replaced = [];
  #answered = [];
  #byHand = [];

  /**
   * Takes a directory of its own to be made, a table, and the number of grants before the first login. `passed` tells
   * whether a login has come through, by its client and the path of the table; the client is of `clientOf`, by its number.
   */
  constructor(directory, { table, size, passed = (...words) => table.holds(...words), ...rest }) {
    mkdirSync(directory);
    this.table = table;
    this.size = size;
    this.#passed = passed;
    this.#clientOf = rest.clientOf ?? clientOf;
    this.#count = size;
    this.#log = join(directory, "mail.log");
    this.#other = join(directory, "by-hand");
    writeFileSync(this.#log, firstLogins(size));
    this.#daemon = new Daemon(join(directory, "popgate"), {
      log: this.#log,
      ttl: "1h",
      ...table.settings,
    });
  }

  /** The path of the table that popgate writes. */
  get path() {
    return this.#daemon.table;
  }

  async start() {
    const grants = await this.#daemon.start();
    if (grants !== this.size) throw new Error(`${grants} live grants instead of ${this.size}`);
    await this.table.build(this.#other, []);
  }

  async rest() {
    const ms = Math.max(quiet, costs * (this.#answered.at(-1) ?? 0));
    await pause(Math.max(0, this.#last + ms - performance.now()));
  }

  async login() {
    const number = this.#count++;
    const client = this.#clientOf(number);
    const index = this.table.index(this.path);
    const before = identityOf(index);
    const began = performance.now();
    appendFileSync(this.#log, loginOf(number, { client }));
    for (;;) {
      while (identityOf(index) === before) {
        if (performance.now() - began > deadline) throw new Error(`login ${number} was lost`);
        await pause(1);
      }
      const replaced = performance.now() - began;
      if (!(await this.#passed(this.path, client))) continue;
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
    await this.table.build(this.#other, clients);
    await this.table.holds(this.#other, clients.at(-1));
    this.#byHand.push(performance.now() - began);
  }

  /** Milliseconds that so large a share of the logins took at most. */
  took(share) {
    return percentile(this.#answered, share);
  }

  /** Rows for a table of the columns below. */
  rows(verdict) {
    const name = `${this.table.name}, ${this.size.toLocaleString("en")} grants`;
    const base = percentile(this.#byHand, 0.5);
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

/** What stands in the rows behind their names. */
export const columns = ["logins", "p50", "p95", "p99", "max", "of by hand's p50", "aim"];

function row(name, times, base, verdict = "") {
  const p50 = percentile(times, 0.5);
  const figures = [p50, percentile(times, 0.95), percentile(times, 0.99), Math.max(...times)];
  const ratio = `${(p50 / base).toFixed(2)} x`;
  return [name, `${times.length}`, ...figures.map((ms) => ms.toFixed(1)), ratio, verdict];
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
