#!/usr/bin/env node
/** Argv in, exit code out. */
import { setFlagsFromString } from "node:v8";
import { createProgram, exitCodeOfCommander, isCommanderError } from "./cli.ts";
import { systemClock } from "./clock.ts";
import type { Outside } from "./commands/command.ts";
import { exit, KnownError, type ExitCode } from "./errors.ts";
import { createLog } from "./log.ts";

// What is made of a line dies with it. As soon as it is busy, V8 would let the room for that grow to 48 MB.
setFlagsFromString("--semi-space-growth-factor=1");

const tell = (text: string) => void process.stderr.write(text);

const outside: Outside = {
  clock: systemClock,
  // Loaded at the first program that is run: `match` runs none.
  run: async (argv, options) => (await import("./run.ts")).run(argv, options),
  spawn: async (argv) => (await import("./run.ts")).spawn(argv),
  input: () => process.stdin,
  print: (text) => void process.stdout.write(text),
  tell,
  screen: process.stdout.isTTY
    ? { columns: () => process.stdout.columns, rows: () => process.stdout.rows }
    : undefined,
  isTerminal: process.stderr.isTTY && !process.stdout.isTTY,
  log: (json) => createLog(systemClock, tell, json),
  environment: process.env,
  pid: process.pid,
  signals: {
    onStop(callback) {
      let told = false;
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.on(signal, () => {
          if (told) process.exit(exit.tempFail);
          told = true;
          callback();
        });
      }
    },
    onReload: (callback) => void process.on("SIGHUP", callback),
  },
};

async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exit.ok;
  try {
    await createProgram(outside, (own) => {
      code = own;
    }).parseAsync(argv, { from: "user" });
  } catch (error) {
    if (isCommanderError(error)) return exitCodeOfCommander(error);
    if (error instanceof KnownError) {
      for (const line of error.message.split("\n")) tell(`popgate: ${line}\n`);
      return error.exitCode;
    }
    tell(
      `popgate: a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return exit.software;
  }
  return code;
}

// A reader that went away, such as head(1), is no error of ours.
process.stdout.on("error", () => process.exit(exit.ok));
// Whoever read what popgate tells may go away; the tables must still be kept.
process.stderr.on("error", () => {});
// Node would open its debugger to whoever can signal us; the other one would end us with the tables full.
for (const signal of ["SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => {});
const code = await main(process.argv.slice(2));
// What was printed must reach a slow pipe before the process ends.
process.stdout.write("", () => process.exit(code));
