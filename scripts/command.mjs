/** Runs programs for the scripts, and ends them when the person at the keyboard wants to stop. */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stopping.abort(name));

// npm hands a signal to the shell that it runs us in, which dies of it and tells nobody.
if (process.env.npm_lifecycle_event !== undefined) {
  const shell = process.ppid;
  const look = () => process.ppid === shell || stopping.abort("SIGTERM");
  setInterval(look, 500).unref();
}

/** Aborted by the first SIGINT, SIGTERM or SIGHUP; from then on no program is started. */
export const stopped = stopping.signal;

/** A program that failed, with what it printed. */
export class CommandError extends Error {}

/**
 * Runs argv to its end and resolves to { code, output }.
 * `show` lets it use the terminal; otherwise its output is kept. `grace` is how long it may clean up when we are stopped.
 */
export function run(argv, { cwd, env, show = false, grace = 0 } = {}) {
  stopped.throwIfAborted();
  const [program, ...rest] = argv;
  const stdio = show ? "inherit" : ["ignore", "pipe", "pipe"];
  const child = spawn(program, rest, { cwd, env: { ...process.env, ...env }, stdio });
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    }
    let killing;
    const stop = () => {
      if (grace > 0) tell(child.pid, stopped.reason);
      killing = setTimeout(() => child.kill("SIGKILL"), grace);
    };
    stopped.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => reject(new CommandError(`${program}: ${error.message}`)));
    child.once("close", (code) => {
      stopped.removeEventListener("abort", stop);
      clearTimeout(killing);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs argv, which has to succeed; its output. */
export async function must(argv, options) {
  const { code, output } = await run(argv, options);
  stopped.throwIfAborted();
  if (code !== 0) throw new CommandError(`${argv.join(" ")}: exit ${code}\n${output.trimEnd()}`);
  return output;
}

/** Runs argv and says whether it succeeded; a program that does not exist did not. */
export async function succeeds(argv) {
  try {
    return (await run(argv)).code === 0;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

// `unshare --fork` itself ignores signals: the one that is meant is its child.
function tell(pid, signal) {
  let children = [];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  } catch {
    // no such file in this kernel, or it has just ended
  }
  for (const target of [pid, ...children.filter(Boolean).map(Number)]) {
    try {
      process.kill(target, signal);
    } catch {
      // it has just ended
    }
  }
}
