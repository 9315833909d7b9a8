/** The tables of the lab: one of each type, and what the MTA's own tool reads in it. */

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { answer } from "./child.ts";
import type { Lab } from "./lab.ts";
import { lacks } from "./needs.ts";
import { makemap } from "./sendmail.ts";

/** What popgate is to write, and a way to read all of it. */
export interface Table {
  readonly name: string;
  /** Its section in popgate's config. */
  readonly map: {
    readonly mta: string;
    readonly table: string;
    readonly tool?: string;
    readonly config_dir?: string;
    readonly name?: string;
  };
  /** The file that the MTA reads. */
  readonly live: string;
  /** All keys that the MTA would find. Rejects if it cannot be read to its end. */
  readonly keys: () => Promise<string[]>;
}

/** A type that postmap builds. */
export type PostfixType = "hash" | "btree" | "lmdb" | "cdb";

/**
 * Tables of all types that this machine has the tools for, each in a directory of its own, which is made. `seen` gives a
 * path as this process reaches it.
 */
export function tablesHere(lab: Lab, directory: string, config_dir: string, seen = same): Table[] {
  const postfix = ["hash", "btree", "lmdb", "cdb"] as const;
  const pathOf = (type: string): string => {
    mkdirSync(lab.path(directory, type), { recursive: true, mode: 0o755 });
    return lab.path(directory, type, "relay");
  };
  return [
    ...(lacks("postfix") === undefined ? postfix : []).map((type) =>
      postfixTable(type, pathOf(type), config_dir, seen),
    ),
    ...(lacks("sendmail") === undefined ? [sendmailTable(pathOf("sendmail"), seen)] : []),
    eximTable(pathOf("exim"), seen),
  ];
}

const same = (path: string): string => path;

/** A table that a Postfix with this config directory asks. */
export function postfixTable(
  type: PostfixType,
  path: string,
  config_dir: string,
  seen = same,
): Table {
  const suffix = { hash: ".db", btree: ".db", lmdb: ".lmdb", cdb: ".cdb" }[type];
  const table = `${type}:${path}`;
  const postmap = ["postmap", "-c", config_dir] as const;
  return {
    name: type,
    map: { mta: "postfix", table, config_dir },
    get live() {
      return seen(path + suffix);
    },
    keys: async () => {
      if (type !== "cdb") {
        const list = (): Promise<string> => said([...postmap, "-s", `${type}:${seen(path)}`]);
        return keysOf(await unchanged(seen(path + suffix), list), "OK");
      }
      // One version of it, since it may be replaced while it is looked at; a link to it would blind an MTA.
      const file = readFileSync(seen(path + suffix));
      const copy = join(dirname(config_dir), basename(path));
      writeFileSync(copy + suffix, file);
      const keys = recordsOf(file);
      const found = await said([...postmap, "-q", "-", `cdb:${copy}`], keys.join("\n"));
      if (keysOf(found, "OK").length !== keys.length) throw new Error(`${table} lacks what it has`);
      return keys;
    },
  };
}

/** A table of popauth's that Sendmail asks. */
export function sendmailTable(path: string, seen = same): Table {
  return {
    name: "sendmail",
    map: { mta: "sendmail", table: `hash:${path}`, tool: makemap },
    get live() {
      return seen(`${path}.db`);
    },
    keys: async () => {
      const argv = [makemap, "-C/dev/null", "-u", "hash", seen(path)] as const;
      for (;;) {
        const before = statSync(seen(`${path}.db`)).ino;
        try {
          return keysOf(await said(argv), "OK");
        } catch (error) {
          // It refuses a file that is replaced between its look at it and its opening (safefile.c, filechanged).
          if (statSync(seen(`${path}.db`)).ino === before) throw error;
        }
      }
    },
  };
}

/** A host list that Exim reads. */
export function eximTable(path: string, seen = same): Table {
  return {
    name: "exim",
    map: { mta: "exim", table: path },
    get live() {
      return seen(path);
    },
    keys: () => {
      const text = readFileSync(seen(path), "latin1");
      if (!text.endsWith("\n")) return Promise.reject(new Error(`${path} is cut`));
      return Promise.resolve(text.split("\n").filter((line) => /^[^#]/.test(line)));
    },
  };
}

/**
 * What is read of a file while nobody changes it. Each step of a listing is a transaction of its own: of an lmdb that is changed
 * meanwhile it shows no version at all.
 */
async function unchanged<T>(file: string, read: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = statSync(file).mtimeMs;
    const found = await read();
    if (statSync(file).mtimeMs === before) return found;
  }
}

/** What a tool prints that must have nothing to complain of. */
async function said(argv: readonly [string, ...string[]], input?: string): Promise<string> {
  const { code, stdout, stderr } = await answer(argv, input === undefined ? {} : { input });
  // postmap -q ends with 1 if it finds nothing.
  const fine = code === 0 || (code === 1 && input !== undefined);
  // makemap warns of the directory that the lab lies in.
  const complaint = stderr.split("\n").some((line) => !/^(?:WARNING: .*)?$/.test(line));
  if (!fine || complaint) throw new Error(`${argv.join(" ")}: exit ${code}\n${stderr}`);
  return stdout;
}

/** From lines of `key TAB value`. */
function keysOf(text: string, value: string): string[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [key = "", what] = line.split("\t");
      if (what !== value) throw new Error(`"${line}" does not say ${value}`);
      return key;
    });
}

/** The keys of a constant database (cdb(5)): records of both lengths, key and value, between a header and the hash tables. */
function recordsOf(file: Buffer): string[] {
  const header = 2048;
  const starts = Array.from({ length: 256 }, (_, index) => file.readUInt32LE(8 * index));
  const end = Math.min(...starts);
  const keys: string[] = [];
  let at = header;
  while (at < end) {
    const [key, value] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    keys.push(file.toString("latin1", at + 8, at + 8 + key));
    at += 8 + key + value;
  }
  if (at !== end || end > file.length) throw new Error("the cdb is cut");
  return keys;
}
