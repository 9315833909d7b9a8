/** Tells whether a pattern's work grows with the length of a line and no faster, whatever the line says. */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Diagnostics } from "recheck";
import { reasonOf } from "./errors.ts";

/**
 * Milliseconds for each pattern; an ordinary one takes one or two. A busy host must not refuse at its start what passed when it
 * was written.
 */
const longest = 30_000;

/** Megabytes: whoever needs more is too complex. */
const memory = 256;

/**
 * The checker computes for seconds: in a thread of its own it holds nothing up, and is gone when it is done. Its part in
 * JavaScript runs everywhere; those that are faster are optional packages and start programs.
 */
const program = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { check } = require(workerData.checker);
  const run = async () => {
    for (const { source, flags } of workerData.patterns) {
      parentPort.postMessage(await check(source, flags, { timeout: workerData.longest }));
    }
  };
  run();
`;

/**
 * Takes patterns and gives for each of them undefined if it is linear, or else the reason why it may not be used, in words. A
 * pattern that cannot be judged within half a minute is none that may be used.
 */
export async function linearityFaults(
  patterns: readonly RegExp[],
): Promise<(string | undefined)[]> {
  if (patterns.length === 0) return [];
  const workerData = {
    checker: createRequire(import.meta.url).resolve("recheck"),
    patterns: patterns.map(({ source, flags }) => ({ source, flags })),
    longest,
  };
  const worker = new Worker(program, {
    eval: true,
    env: { RECHECK_BACKEND: "pure" },
    resourceLimits: { maxOldGenerationSizeMb: memory },
    workerData,
  });
  const faults: (string | undefined)[] = [];
  let end = "the checker ended";
  await new Promise<void>((resolve) => {
    worker.on("message", (found: Diagnostics) => void faults.push(faultOf(found)));
    worker.on("error", (error) => (end = reasonOf(error)));
    worker.on("exit", () => resolve());
  });
  return patterns.map((_, index) =>
    index < faults.length ? faults[index] : `it cannot be checked for its cost: ${end}`,
  );
}

function faultOf(found: Diagnostics): string | undefined {
  switch (found.status) {
    case "safe":
      return undefined;
    case "vulnerable":
      return `a hostile line makes it work too long (${found.complexity.summary}): ${found.attack.pattern}; let no two repetitions side by side take the same text`;
    case "unknown":
      return found.error.kind === "timeout"
        ? `it could not be told within ${String(longest / 1000)} s that its work grows with the line alone; make it simpler`
        : `it cannot be checked for its cost: ${"message" in found.error ? found.error.message : found.error.kind}`;
  }
}
