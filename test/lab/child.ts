/** One program that the lab runs: its lines, its end, and a stop that leaves none of its processes. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endSession } from "./process.ts";
import { inTime } from "./wait.ts";

export type Argv = readonly [program: string, ...rest: string[]];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program in a session of its own, so that a Ctrl-C reaches the lab first and it stops things in order. */
export class Child {
  /** What it has said so far on standard output and standard error. */
  readonly lines: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  readonly #listeners = new Set<() => void>();

  constructor(argv: Argv, environment: NodeJS.ProcessEnv = {}) {
    const [program, ...rest] = argv;
    const child = spawn(program, rest, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const listener of this.#listeners) listener();
      });
    }
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
      child.once("error", (error) => {
        this.lines.push(String(error));
        resolve({ code: 127, signal: null });
      });
    });
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(this.lines.join("\n"));
    return this.#process.pid;
  }

  get running(): boolean {
    return (
      this.#process.pid !== undefined &&
      this.#process.exitCode === null &&
      this.#process.signalCode === null
    );
  }

  signal(name: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, name);
  }

  /** The first line from the `from`th on that matches; rejects when the program ends without it. */
  async line(pattern: RegExp, { from = 0, within = 10_000 } = {}): Promise<string> {
    const what = `a line like ${String(pattern)}`;
    const found = new Promise<string>((resolve, reject) => {
      let next = from;
      const look = (): void => {
        // Each line is looked at once: there may be a hundred thousand.
        while (next < this.lines.length) {
          const line = this.lines[next++] ?? "";
          if (!pattern.test(line)) continue;
          this.#listeners.delete(look);
          return resolve(line);
        }
      };
      this.#listeners.add(look);
      look();
      void this.ended.then(({ code, signal }) =>
        reject(new Error(`it ended (${signal ?? `exit ${code}`}) without ${what}`)),
      );
    });
    try {
      return await inTime(what, found, within);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.lines.slice(-20).join("\n")}`, { cause: error });
    }
  }

  /** Signals it, waits for its end and for the end of everything in its session; kills what is left. */
  async stop(name: NodeJS.Signals = "SIGTERM", within = 5000): Promise<void> {
    if (this.#process.pid === undefined) return;
    this.signal(name);
    await endSession(this.pid, within);
    await inTime(`the end of ${this.#process.spawnfile}`, this.ended);
  }
}

/** Runs a program to its end. A failure is an answer, not an exception. */
export async function answer(
  argv: Argv,
  options: { input?: string; environment?: NodeJS.ProcessEnv; within?: number } = {},
): Promise<Answer> {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, {
    stdio: "pipe",
    env: { ...process.env, ...options.environment },
    timeout: options.within ?? 30_000,
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  child.stdin.on("error", () => {}); // a program that does not read its input is no fault
  child.stdin.end(options.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...said };
}

/** Runs a program that has to succeed; its standard output. */
export async function ran(argv: Argv, input = ""): Promise<string> {
  const { code, stdout, stderr } = await answer(argv, { input });
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit ${code}\n${stderr}${stdout}`);
  return stdout;
}
