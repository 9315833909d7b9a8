/** The lab: one temp directory, free loopback ports, and the daemons in it, stopped in reverse order. */

import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Argv } from "./child.ts";
import { connects } from "./dialogue.ts";
import { until } from "./wait.ts";

/** Something that the lab starts and stops. `stop` may be called at any time, and twice. */
export interface Daemon {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The end of what it has said, for the message of an error. */
  said(): string;
}

/** Something that daemons log to through /dev/log. */
export interface Syslog {
  /** The same command, in a mount namespace of its own whose /dev/log is this one's. */
  inside(argv: Argv): Argv;
}

/** The project's own directory, from wherever this file was compiled to. */
export const project = ((): string => {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
  return directory;
})();

/** Where the packages lie that are unpacked, not installed. */
export function unpacked(name: string): string {
  return join(project, ".lab", name);
}

/** Whether this host has an IPv6 loopback; many containers do not. */
export const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

/** The addresses that every daemon of a lab listens on. */
export const loopback: readonly string[] = hasIpv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];

/** The end of a text, short enough for an error message. */
export function tail(text: string, lines = 15): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** One lab. Open it, start daemons in it, close it: nothing of it stays. */
export class Lab {
  readonly dir: string;
  readonly #daemons: Daemon[] = [];
  readonly #ports = new Set<number>();

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async open(): Promise<Lab> {
    const dir = await mkdtemp(join(tmpdir(), "popgate-lab-"));
    await chmod(dir, 0o755); // the daemons run as users of their own and have to pass
    return new Lab(dir);
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  /** Makes a directory of the lab, for root or for the user with this id. */
  async folder(name: string, owner?: number): Promise<string> {
    const path = this.path(name);
    await mkdir(path, { recursive: true, mode: 0o755 });
    if (owner !== undefined) await chown(path, owner, owner);
    return path;
  }

  async file(name: string, text: string, mode = 0o644): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, text, { mode });
    return path;
  }

  /** A port that is free on every loopback address, below the range that outgoing connections take theirs from. */
  async port(): Promise<number> {
    for (;;) {
      const port = 20_000 + Math.floor(Math.random() * 10_000);
      if (this.#ports.has(port)) continue;
      this.#ports.add(port);
      const free = await Promise.all(loopback.map((host) => isFree(port, host)));
      if (free.every(Boolean)) return port;
    }
  }

  async start<D extends Daemon>(daemon: D): Promise<D> {
    if (!this.#daemons.includes(daemon)) this.#daemons.push(daemon);
    try {
      await daemon.start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${daemon.name} did not start: ${reason}\n${tail(daemon.said())}`, {
        cause: error,
      });
    }
    return daemon;
  }

  /** Stops everything, last started first, and removes the directory; tells of all that went wrong at once. */
  async close(): Promise<void> {
    const faults: unknown[] = [];
    for (const daemon of this.#daemons.toReversed()) {
      await daemon.stop().catch((error: unknown) => faults.push(error));
    }
    this.#daemons.length = 0;
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
    if (faults.length > 0) throw new AggregateError(faults, "the lab did not stop cleanly");
  }
}

/** Where daemons run, and are seen to listen: the host's own network, unless it is another one. */
export interface Place {
  /** The same command, in there. */
  inside(argv: Argv): Argv;
  listening(port: number, program: { readonly running: boolean }): Promise<void>;
}

export const host: Place = { inside: (argv) => argv, listening };

/** Waits until a program accepts connections on a port, or has ended without. */
export async function listening(
  port: number,
  program: { readonly running: boolean },
): Promise<void> {
  await until(`port ${port} to listen`, () => {
    if (!program.running) throw new Error("it ended at once");
    return connects("127.0.0.1", port);
  });
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
