/** Programs that are measured: what they cost while they run and altogether; none outlives us. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, stopped } from "../command.mjs";

/** What the kernel counts in, for every Linux program: USER_HZ. */
const ticksPerSecond = 100;

/** Milliseconds between two looks at the peak of a program that ends by itself. */
const glance = 5;

/** A program that runs. */
export class Child {
  /** What it printed on standard output. */
  printed = "";
  /** Its exit code; rejects if it could not be started. */
  ended;
  #process;
  #told = [];

  constructor([program, ...rest]) {
    stopped.throwIfAborted();
    this.#process = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      signal: stopped,
      killSignal: "SIGKILL",
    });
    this.#process.stdout.setEncoding("utf8").on("data", (text) => (this.printed += text));
    this.#process.stderr.setEncoding("utf8").on("data", (text) => this.#told.push(text));
    this.ended = once(this.#process, "close").then(([code]) => code ?? 1);
    // Whoever waits for it is told; nobody may be waiting yet.
    this.ended.catch(() => {});
  }

  get pid() {
    return this.#process.pid;
  }

  /** What it printed on standard error. */
  get told() {
    return this.#told.join("");
  }

  /** Resolves to the match of `pattern` in a line that it tells. Each is looked at once: there may be a hundred thousand. */
  async tells(pattern) {
    let next = 0;
    let rest = "";
    for (;;) {
      while (next < this.#told.length) {
        const text = rest + this.#told[next++];
        const end = text.lastIndexOf("\n") + 1;
        const match = pattern.exec(text.slice(0, end));
        if (match !== null) return match;
        rest = text.slice(end);
      }
      const over = await Promise.race([this.ended, once(this.#process.stderr, "data")]);
      if (typeof over === "number") throw new CommandError(`exit ${over}\n${this.told.trimEnd()}`);
    }
  }

  /** CPU seconds so far, those of programs that it ran and that ended among them. */
  get cpu() {
    return sum(cpuTimes(this.pid));
  }

  /** Megabytes in memory: now (`VmRSS`) or at most so far (`VmHWM`); undefined if it has ended. */
  memory(which) {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, "latin1");
      const kilobytes = new RegExp(`^${which}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
      return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
    } catch {
      return undefined;
    }
  }

  /** How many descriptors it has open. */
  get descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** How many inodes it has the kernel watch. */
  get watches() {
    const all = readdirSync(`/proc/${this.pid}/fdinfo`);
    return sum(all.map((fd) => watchesOf(`/proc/${this.pid}/fdinfo/${fd}`)));
  }

  /** Ends it and waits for its end. */
  async stop() {
    this.#process.kill("SIGTERM");
    await this.ended;
  }
}

/** Runs argv, which has to succeed, to its end: { printed, told, cpu and wall in seconds, peak in megabytes }. */
export async function measured(argv) {
  const began = performance.now();
  const before = childrensCpu();
  const child = new Child(argv);
  let peak = 0;
  // What has ended has no memory.
  for (let now; (now = child.memory("VmHWM")) !== undefined; peak = now) await sleep(glance);
  if ((await child.ended) !== 0)
    throw new CommandError(`${argv.join(" ")}\n${child.told.trimEnd()}`);
  const wall = (performance.now() - began) / 1000;
  const { printed, told } = child;
  return { printed, told, cpu: childrensCpu() - before, wall, peak };
}

/** What the children that have ended took: theirs is known to the tick only after their end. */
function childrensCpu() {
  const [, , user, system] = cpuTimes("self");
  return user + system;
}

/** Seconds: user and system of the process, user and system of its children that have ended. */
function cpuTimes(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The program's name may hold blanks; the state comes behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).map((ticks) => Number(ticks) / ticksPerSecond);
}

/** See proc(5): an inotify descriptor has a line for each watch. */
function watchesOf(path) {
  try {
    return readFileSync(path, "latin1").match(/^inotify wd:/gm)?.length ?? 0;
  } catch {
    return 0; // it was closed meanwhile
  }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
