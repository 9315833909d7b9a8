/** A network of its own that is nothing but a loopback, with any addresses: daemons run in it, and clients come from these. */

import { readFileSync } from "node:fs";
import { type Argv, Child, ran } from "./child.ts";
import type { Daemon, Place } from "./lab.ts";
import { inNetworkOf, withNetwork } from "./namespace.ts";
import type { Relay } from "./smtp.ts";
import { until } from "./wait.ts";

/** The network; it ends with `stop`. */
export class Network implements Daemon, Place {
  readonly name = "network";
  #child: Child | undefined;

  async start(): Promise<void> {
    const child = new Child(withNetwork(["sleep", "infinity"]));
    this.#child = child;
    // Before that it may still be the host's own.
    await until("the network", () => readFileSync(this.#proc("comm"), "utf8") === "sleep\n");
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  inside(argv: Argv): Argv {
    return inNetworkOf(this.#pid, argv);
  }

  async listening(port: number, program: { readonly running: boolean }): Promise<void> {
    const socket = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ 0A `);
    await until(`port ${String(port)} to listen`, () => {
      if (!program.running) throw new Error("it ended at once");
      return socket.test(readFileSync(this.#proc("net/tcp6"), "latin1"));
    });
  }

  /** Gives the loopback these addresses. */
  async add(addresses: readonly string[]): Promise<void> {
    const lines = addresses.map((address) => `addr add ${address}/128 dev lo nodad\n`);
    await ran(this.inside(["ip", "-6", "-batch", "-"]), lines.join(""));
  }

  /** Offers a mail for another domain from each of these clients: the codes of the answers. */
  async offers(relays: readonly Relay[]): Promise<readonly number[]> {
    const node: Argv = [process.execPath, "-e", asker];
    return JSON.parse(await ran(this.inside(node), JSON.stringify(relays))) as number[];
  }

  get #pid(): number {
    if (this.#child === undefined) throw new Error("the network is not started");
    return this.#child.pid;
  }

  #proc(name: string): string {
    return `/proc/${String(this.#pid)}/${name}`;
  }
}

// Only a program that runs in there can come from its addresses.
const asker = `
const { connect } = require("node:net");
const { createInterface } = require("node:readline");
const relays = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

async function offer({ port, client }) {
  const socket = connect({ host: "::1", port, localAddress: client });
  socket.setTimeout(15000, () => socket.destroy(new Error("no answer on " + port)));
  const say = ["EHLO client.test", "MAIL FROM:<user@lab.test>", "RCPT TO:<someone@foreign.example>"];
  let code = 0;
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === "-") continue;
    code = Number(line.slice(0, 3));
    const next = say.shift();
    if (next === undefined || code >= 400) break;
    socket.write(next + "\\r\\n");
  }
  socket.end("QUIT\\r\\n");
  socket.on("error", () => {});
  socket.resume();
  return code;
}

(async () => {
  const codes = [];
  for (let at = 0; at < relays.length; at += 8) {
    codes.push(...(await Promise.all(relays.slice(at, at + 8).map(offer))));
  }
  process.stdout.write(JSON.stringify(codes));
  process.exit();
})();
`;
