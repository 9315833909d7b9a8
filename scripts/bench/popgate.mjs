/** popgate itself, as it is built: one daemon that follows one log into one table. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { project } from "../ground.mjs";
import { Child } from "./child.mjs";

/** The argv of a command. */
export function popgate(...argv) {
  return [process.execPath, join(project, "dist/main.js"), ...argv];
}

/** A daemon. */
export class Daemon {
  #directory;
  #child;

  /**
   * Takes a directory to be made for its state and table, the log that it follows, its ttl, and the keys of its map but for
   * the table: { mta, config_dir }, and its type.
   */
  constructor(directory, { log, ttl, type, ...map }) {
    this.#directory = directory;
    mkdirSync(directory);
    // The addresses of the generated logs are nobody's, and those of a laboratory the host's own: popgate refuses them for
    // good reason.
    const sections = [
      `ttl = "${ttl}"`,
      `state_dir = "${this.stateDirectory}"`,
      `[[source]]\npath = "${log}"\nzone = "UTC"`,
      `[[map]]\ntable = "${type === undefined ? "" : `${type}:`}${this.table}"`,
      ...Object.entries(map).map(([key, value]) => `${key} = "${value}"`),
      '[guard]\nallow = ["100.64.0.0/10", "127.0.0.0/8"]\nmax_grants = 1000000\n',
    ];
    writeFileSync(this.#config, sections.join("\n"));
  }

  /** The path of its table, without what a map tool adds. */
  get table() {
    return join(this.#directory, "relay");
  }

  /** The directory of its state. */
  get stateDirectory() {
    return join(this.#directory, "state");
  }

  get #config() {
    return join(this.#directory, "popgate.toml");
  }

  /** Starts it, with options for Node itself; resolves to the number of live grants when it is ready. */
  async start(...options) {
    const [node, ...argv] = popgate("run", "--config", this.#config);
    this.#child = new Child([node, ...options, ...argv]);
    const [, grants] = await this.#child.tells(/^ready grants=(\d+)$/m);
    return Number(grants);
  }

  /** The clients in its table's source, sorted. */
  clients() {
    const lines = readFileSync(this.table, "latin1").split("\n");
    return lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split("\t", 1)[0])
      .sort();
  }

  /** What it answers on its control socket. */
  status() {
    const socketPath = join(this.stateDirectory, "control");
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath, path: "/status", agent: false }, (answer) => {
        json(answer).then(resolve, reject);
      });
      asked.once("error", reject);
      asked.end();
    });
  }

  /** Resolves when it tells a line in which `pattern` matches, be it one of before. */
  tells(pattern) {
    return this.#child.tells(pattern);
  }

  signal(name) {
    process.kill(this.#child.pid, name);
  }

  get cpu() {
    return this.#child.cpu;
  }

  /** What it has told so far. */
  get told() {
    return this.#child.told;
  }

  memory(which) {
    return this.#child.memory(which);
  }

  get descriptors() {
    return this.#child.descriptors;
  }

  get watches() {
    return this.#child.watches;
  }

  async stop() {
    await this.#child?.stop();
  }
}
