/** What a table on disk says of one client right now. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Client } from "../client.ts";
import { reasonOf } from "../errors.ts";
import type { Child, Run, Spawn } from "../run.ts";
import type { AccessMap } from "./map.ts";

/** Its value, undefined if the client is not in it; or why it cannot be told. */
export type Found = { readonly value: string | undefined } | { readonly fault: string };

interface Tools {
  readonly run: Run;
  readonly spawn: Spawn;
}

/** Asks the table as the MTA does, or looks through all that is in it where no tool answers a question. */
export async function lookUp(map: AccessMap, client: Client, tools: Tools): Promise<Found> {
  if (map.query !== undefined) return queried(map.query(client), tools.run);
  const keys = new Map(
    [...map.render([client])]
      .join("")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const [key = "", value = "listed"] = line.split("\t");
        return [key.toLowerCase(), value];
      }),
  );
  try {
    for await (const line of await entriesOf(map, tools.spawn)) {
      const [key = "", value = "listed"] = line.split("\t");
      if (keys.has(key.toLowerCase())) return { value };
    }
    return { value: undefined };
  } catch (error) {
    return { fault: reasonOf(error) };
  }
}

async function queried(argv: readonly [string, ...string[]], run: Run): Promise<Found> {
  const outcome = await run(argv);
  if (outcome.ok) return { value: outcome.stdout };
  // postmap(1): 1 is "not found", or a trouble that it tells.
  const silent = outcome.stderr === "" && outcome.reason.startsWith("exit status 1");
  return silent ? { value: undefined } : { fault: outcome.stderr || outcome.reason };
}

async function entriesOf(map: AccessMap, spawn: Spawn): Promise<AsyncIterable<string>> {
  const dump = map.index?.(map.source).dump;
  if (dump === undefined) return linesOf(createReadStream(map.source));
  return dumped(await spawn(dump), dump[0]);
}

async function* dumped(program: Child, tool: string): AsyncGenerator<string> {
  try {
    let rest = "";
    for await (const piece of program.output) {
      const lines = `${rest}${piece.toString()}`.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    const { ok, reason } = await program.outcome;
    if (!ok) throw new Error(`${tool}: ${reason}`);
  } finally {
    program.end();
  }
}

function linesOf(input: NodeJS.ReadableStream): AsyncIterable<string> {
  return createInterface({ input, crlfDelay: Infinity });
}
