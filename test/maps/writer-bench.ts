/** A map of its own for each test of the writer, with a tool that can be made to misbehave. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { createMap } from "../../src/maps/index.ts";
import type { AccessMap } from "../../src/maps/map.ts";
import { MapWriter } from "../../src/maps/writer.ts";
import { run, type Run } from "../../src/run.ts";
import { client } from "./clients.ts";
import { fakeTool, temporaryDirectory, type behaviours } from "./fake-tool.ts";

export const alice = client("192.0.2.1");
export const bob = client("2001:db8::2");

export interface Bench {
  readonly directory: string;
  readonly map: AccessMap;
  readonly told: string[];
  readonly writer: (parts?: { run?: Run }) => MapWriter;
  readonly use: (behaviour: keyof typeof behaviours) => void;
  /** Removes the empty map that is prepared. */
  readonly loseSpare: () => void;
  /** The files but the lock and the prepared empty map, each with its keys. */
  readonly files: () => Record<string, string[]>;
}

/** Gives a directory with a fake tool beside it. */
export function bench(mta: "postfix" | "sendmail" | "exim" = "postfix", type = "hash"): Bench {
  const home = temporaryDirectory();
  const directory = join(home, "maps");
  mkdirSync(directory);
  const tool = fakeTool(home, "works");
  const map = createMap(
    mta === "exim"
      ? { mta, table: `${directory}/relay` }
      : { mta, table: `${type}:${directory}/relay`, tool },
  );
  const told: string[] = [];
  const tell = (event: string, fields = {}) => void told.push(`${event} ${JSON.stringify(fields)}`);
  const log = { info: tell, warning: tell, error: tell };
  return {
    directory,
    map,
    told,
    writer: (parts = {}) => new MapWriter({ map, run, log, deadline: 300, ...parts }),
    loseSpare: () => {
      for (const name of readdirSync(directory)) {
        if (name.includes("popgate-empty")) rmSync(join(directory, name));
      }
    },
    use: (behaviour) => void fakeTool(home, behaviour),
    files: () => {
      const names = readdirSync(directory).filter((name) => !/popgate-(?:lock|empty)/.test(name));
      return Object.fromEntries(
        names.sort().map((name) => [name, keysIn(join(directory, name))] as const),
      );
    },
  };
}

/** The keys in a source, or in an index that the fake tool made. */
export function keysIn(file: string): string[] {
  const lines = readFileSync(file, "latin1").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t", 1)[0] ?? "");
}

/** What a PublishError with this code, and a message like this, equals. */
export function rejection(code: number, says: RegExp): object {
  return expect.objectContaining({
    name: "PublishError",
    exitCode: code,
    message: expect.stringMatching(says),
  });
}
