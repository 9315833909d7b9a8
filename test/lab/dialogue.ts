/** A line-by-line talk with a server, from a chosen local address: what the SMTP, POP3 and IMAP clients share. */

import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { connect as secure } from "node:tls";
import { inTime } from "./wait.ts";

export interface Where {
  readonly port: number;
  /** The local address to come from: 127.0.0.2, ::1 ... */
  readonly client: string;
  readonly tls?: boolean;
}

/** Courier answers a failed login after five seconds; nothing here takes longer than twice that. */
const patience = 15_000;

/** Whether something accepts connections there. */
export function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const say = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("connect", () => say(true)).once("error", () => say(false));
  });
}

/** An open connection: send a line, take a line. */
export class Dialogue {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #closed: Promise<unknown>;
  #part = "";
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      const lines = (this.#part + text).split("\r\n");
      this.#part = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#wake();
    });
    socket.on("error", () => this.#wake()); // a dropped connection shows as its end
    this.#closed = new Promise((resolve) => socket.once("close", resolve));
    void this.#closed.then(() => this.#wake());
  }

  /** Connects; the server is at the loopback address of the client's own family. */
  static async open({ port, client, tls = false }: Where): Promise<Dialogue> {
    const host = client.includes(":") ? "::1" : "127.0.0.1";
    const plain = connect({ port, host, localAddress: client });
    await inTime(`a connection from ${client} to port ${port}`, once(plain, "connect"), patience);
    if (!tls) return new Dialogue(plain);
    const hidden = secure({ socket: plain, rejectUnauthorized: false });
    await inTime(`TLS from ${client} to port ${port}`, once(hidden, "secureConnect"), patience);
    return new Dialogue(hidden);
  }

  send(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** The next line, or undefined once the server has hung up. */
  async line(): Promise<string | undefined> {
    const next = async (): Promise<string | undefined> => {
      while (this.#lines.length === 0) {
        if (this.#socket.destroyed || this.#socket.readableEnded) return undefined;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      return this.#lines.shift();
    };
    return inTime("the server's next line", next(), patience);
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}
