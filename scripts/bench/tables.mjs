/** The tables that logins are to reach: how to look into them, and how to build them by hand. */

import { mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, must, stopped, succeeds } from "../command.mjs";

const suffixes = { hash: ".db", lmdb: ".lmdb" };

/** Those that this host has: Postfix's, or else Exim's plain list, which needs no program. */
export async function tablesHere(directory) {
  const types = await postfixTypes();
  if (types.length === 0) return [new EximList()];
  const config = join(directory, "postfix");
  configure(config);
  return types.map((type) => new PostfixTable(type, config));
}

/** A table that postmap builds and asks. */
class PostfixTable {
  name;
  /** The keys of its map in the config. */
  settings;
  #postmap;
  #suffix;

  constructor(type, config) {
    this.name = type;
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

  async build(path, clients) {
    writeFileSync(`${path}.new`, clients.map((client) => `${client}\tOK\n`).join(""));
    await must([...this.#postmap, `${this.name}:${path}.new`]);
    renameSync(`${path}.new${this.#suffix}`, this.index(path));
  }
}

/** A file with one address a line. */
class EximList {
  name = "plain list (no postmap here)";
  settings = { mta: "exim" };

  index(path) {
    return path;
  }

  holds(path, client) {
    return readFileSync(path, "latin1").split("\n").includes(client);
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

/** A Postfix that runs nothing: its tools want a main.cf. */
function configure(directory) {
  mkdirSync(directory);
  const main = join(directory, "main.cf");
  writeFileSync(main, "compatibility_level = 3.6\n");
  // Every Postfix program waits for two seconds before it trusts a main.cf that has just been written.
  const earlier = new Date(Date.now() - 10_000);
  utimesSync(main, earlier, earlier);
}
