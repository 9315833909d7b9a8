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
  // Where its /64 is in the table, that is an answer, too.
  const keys = new Map(
    [...map.render([client], () => [])]
      .join("")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        return entryOf(line);
      }),
  );
  try {
    for await (const line of await entriesOf(map, tools.spawn)) {
      const [key, value] = entryOf(line);
      if (keys.has(key)) return { value };
    }
    return { value: undefined };
  } catch (error) {
    return { fault: reasonOf(error) };
  }
}

async function queried(
  { argv, keys }: ReturnType<NonNullable<AccessMap["query"]>>,
  run: Run,
): Promise<Found> {
  const outcome = await run(argv, { text: keys.map((key) => `${key}\n`).join("") });
  if (outcome.ok) {
    const answers = new Map(outcome.stdout.split("\n").map(entryOf));
    const key = keys.find((one) => answers.has(one));
    return { value: key === undefined ? undefined : answers.get(key) };
  }
  // postmap(1): 1 is "not found", or a trouble that it tells.
  const silent = outcome.stderr === "" && outcome.reason.startsWith("exit status 1");
  return silent ? { value: undefined } : { fault: outcome.stderr || outcome.reason };
}

/** A key, in lower case as the map tools fold it, and its value. */
function entryOf(line: string): [key: string, value: string] {
  const [key = "", value = "listed"] = line.split("\t");
  return [key.toLowerCase(), value];
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
