/** The tables that logins are to reach: how to look into them, and how to build them by hand. */

import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CommandError, must, stopped, succeeds } from "../command.mjs";

const suffixes = { hash: ".db", lmdb: ".lmdb", cdb: ".cdb" };

/** Those that this host has: Postfix's, or else Exim's plain list, which needs no program. */
export async function tablesHere(directory) {
  const types = await postfixTypes();
  if (types.length === 0) return [new EximList()];
  const config = join(directory, "postfix");
  if (!existsSync(config)) configure(config);
  return types.map((type) => new PostfixTable(type, config));
}

/** A table that postmap builds and asks. */
export class PostfixTable {
  /** Its name for people, and one for files. */
  name;
  id;
  /** The keys of its map in the config. */
  settings;
  #postmap;
  #suffix;

  constructor(type, config) {
    this.name = type;
    this.id = type;
    this.settings = { type, mta: "postfix", config_dir: config };
    this.#postmap = ["postmap", "-c", config];
    this.#suffix = suffixes[type];
  }

  /** The file that changes when a login reaches it. */
  index(path) {
    return path + this.#suffix;
  }

  holds(path, client) {
    return succeeds([...this.#postmap, "-q", client, `${this.name}:${path}`]);
  }

  /** Those of the clients that it holds, asked all at once. */
  async among(path, clients) {
    const [program, ...rest] = this.#postmap;
    const child = spawn(program, [...rest, "-q", "-", `${this.name}:${path}`], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.on("error", () => {}); // it ended without reading them
    child.stdin.end(`${clients.join("\n")}\n`);
    return new Set((await text(child.stdout)).split("\n").map((line) => line.split("\t", 1)[0]));
  }

  async build(path, clients) {
    writeFileSync(`${path}.new`, clients.map((client) => `${client}\tOK\n`).join(""));
    await must([...this.#postmap, `${this.name}:${path}.new`]);
    renameSync(`${path}.new${this.#suffix}`, this.index(path));
  }
}

/** A file with one address a line. */
class EximList {
  name = "plain list (no postmap here)";
  id = "list";
  settings = { mta: "exim" };

  index(path) {
    return path;
  }

  holds(path, client) {
    return readFileSync(path, "latin1").split("\n").includes(client);
  }

  among(path, clients) {
    const all = new Set(readFileSync(path, "latin1").split("\n"));
    return new Set(clients.filter((client) => all.has(client)));
  }

  build(path, clients) {
    writeFileSync(`${path}.new`, clients.map((client) => `${client}\n`).join(""));
    renameSync(`${path}.new`, path);
  }
}

async function postfixTypes() {
  try {
    const known = (await must(["postconf", "-m"])).split("\n");
    return Object.keys(suffixes).filter((type) => known.includes(type));
  } catch (error) {
    stopped.throwIfAborted();
    if (error instanceof CommandError) return [];
    throw error;
  }
}

/** Changes whenever a table's file is replaced or written to. */
export function identityOf(path) {
  const { ino, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${mtimeNs}`;
}

/** A Postfix that runs nothing: its tools want a main.cf. */
function configure(directory) {
  mkdirSync(directory);
  const main = join(directory, "main.cf");
  writeFileSync(main, "compatibility_level = 3.6\n");
  // Every Postfix program waits for two seconds before it trusts a main.cf that has just been written.
  const earlier = new Date(Date.now() - 10_000);
  utimesSync(main, earlier, earlier);
}
