/** Runs a program: argv without a shell; either to its end, with a deadline and bounded output, or on and on. */
import { closeSync, openSync } from "node:fs";
import { Readable } from "node:stream";
import { execa } from "execa";
import { systemClock } from "./clock.ts";
import { codeOf } from "./errors.ts";

/** How a program ended. A program that cannot be had or is ended is an outcome, not an exception. */
export interface Outcome {
  /** True if it ended by itself with status 0. */
  readonly ok: boolean;
  /** True if there is no such program. */
  readonly missing: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** In a few words why it is not ok, else empty. */
  readonly reason: string;
}

interface RunOptions {
  /** Milliseconds until it is killed. */
  readonly deadline?: number;
  /** An open descriptor that it gets as its standard input, which is empty otherwise. */
  readonly input?: number;
  /** Or what it reads there. */
  readonly text?: string;
  /** Open descriptors that the program gets as 3, 4, ... */
  readonly descriptors?: readonly number[];
}

export type Run = (argv: readonly [string, ...string[]], options?: RunOptions) => Promise<Outcome>;

/** A program that goes on until it is told to end. */
export interface Child {
  /** What it prints, in pieces of any size; ends when it does, or is told to. What is not taken makes it wait. */
  readonly output: AsyncIterable<Buffer>;
  /** How it ended, once it has; `stdout` is empty. */
  readonly outcome: Promise<Outcome>;
  /** Tells it to end; may be called twice. */
  end(): void;
}

export type Spawn = (argv: readonly [string, ...string[]]) => Promise<Child>;

const defaultDeadline = 30_000;
const mostOutput = 1_000_000;
/** Of the first line that it prints when it fails: characters. */
const longestReason = 300;
/** More descriptors than it takes to start a program. */
const descriptorsNeeded = 16;

/** Runs argv[0] with the rest as its arguments, messages in English. Never throws for what the program does. */
export const run: Run = async (
  [file, ...args],
  { deadline = defaultDeadline, input, text, descriptors = [] } = {},
) => {
  const shortage = shortageOf();
  if (shortage !== undefined) return shortage;
  const program = execa(file, args, {
    reject: false,
    // A group of its own: a script that hangs is killed with whatever it started, which would hold its pipes open.
    detached: true,
    cleanup: false,
    maxBuffer: mostOutput,
    // execa's types know the first few descriptors by number only; it takes any.
    stdio: [
      (text === undefined ? (input ?? "ignore") : "pipe") as 0 | "ignore",
      "pipe",
      "pipe",
      ...(descriptors as readonly 3[]),
    ],
    ...(text === undefined ? {} : { input: text }),
    env: { LC_ALL: "C" },
    stripFinalNewline: true,
  });
  let timedOut = false;
  const cancel = systemClock.after(deadline, () => {
    timedOut = true;
    killGroup(program.pid);
    // What left the group may hold them for ever.
    program.stdout.destroy();
    program.stderr.destroy();
  });
  const result = await program;
  cancel();
  const missing = isMissing(result.code, file);
  const failed = result.failed || timedOut;
  return {
    ok: !failed,
    missing,
    stdout: result.stdout,
    stderr: result.stderr,
    reason: failed ? reasonFor(result, missing, timedOut ? deadline : undefined) : "",
  };
};

/** Starts argv[0] with the rest as its arguments, messages in English; it is ended with this process. Never throws for what it does. */
export const spawn: Spawn = ([file, ...args]) => {
  const shortage = shortageOf();
  if (shortage !== undefined) {
    const outcome = Promise.resolve(shortage);
    return Promise.resolve({ output: Readable.from([]), outcome, end: () => {} });
  }
  const program = execa(file, args, {
    reject: false,
    buffer: { stdout: false },
    maxBuffer: mostOutput,
    stdin: "ignore",
    env: { LC_ALL: "C" },
  });
  const outcome = program.then((result) => {
    const missing = isMissing(result.code, file);
    const reason = result.failed ? reasonFor(result, missing, undefined) : "";
    return { ok: !result.failed, missing, stdout: "", stderr: result.stderr, reason };
  });
  let told = false;
  const end = () => {
    told = true;
    program.kill();
    // What it started may hold them for ever.
    program.stdout.destroy();
    program.stderr.destroy();
  };
  return Promise.resolve({ output: piecesOf(program.stdout, () => told), outcome, end });
};

async function* piecesOf(stdout: AsyncIterable<Buffer>, told: () => boolean) {
  try {
    yield* stdout;
  } catch (thrown) {
    if (!told()) throw thrown;
  }
}

/**
 * How a program ends that cannot even be started for want of descriptors; undefined if there are enough. Node leaves out the
 * pipes then, which execa does not expect: the error would end this process.
 */
function shortageOf(): Outcome | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < descriptorsNeeded) opened.push(openSync("/dev/null", "r"));
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code !== "EMFILE" && code !== "ENFILE") return undefined;
    const reason = `could not be started: too few file descriptors are left (${code})`;
    return { ok: false, missing: false, stdout: "", stderr: "", reason };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
  return undefined;
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

/** A directory of PATH that may not be entered reads like a program that may not be run. */
function isMissing(code: string | undefined, file: string): boolean {
  return code === "ENOENT" || (code === "EACCES" && !file.includes("/"));
}

function reasonFor(
  result: {
    signal?: string | undefined;
    exitCode?: number | undefined;
    stderr: string;
    shortMessage?: string | undefined;
  },
  missing: boolean,
  deadline: number | undefined,
): string {
  if (missing) return "no such program";
  if (deadline !== undefined) return `took longer than ${String(deadline / 1000)} s and was killed`;
  const firstLine = (result.stderr.split("\n", 1)[0] ?? "").slice(0, longestReason);
  if (result.signal !== undefined) return `ended by ${result.signal}`;
  if (result.exitCode === undefined) return result.shortMessage ?? "could not be started";
  return `exit status ${String(result.exitCode)}${firstLine === "" ? "" : `: ${firstLine}`}`;
}
