/** Where a running popgate can be asked. What cannot be opened is told, and keeps popgate from nothing else. */
import { isDeepStrictEqual } from "node:util";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import type { Control } from "./control.ts";
import { createHttpServer } from "./http.ts";
import { handleFor } from "./routes.ts";
import { listenAt } from "./socket.ts";

/** What the config says of them. */
export interface ListenSettings {
  readonly control: { readonly socket: string; readonly group?: string | undefined };
}

interface ListenersParts {
  readonly log: Log;
  readonly run: Run;
  readonly control: Control;
}

/** The control socket. */
export class Listeners {
  readonly #parts: ListenersParts;
  #settings: ListenSettings["control"] | undefined;
  #close = async () => {};

  constructor(parts: ListenersParts) {
    this.#parts = parts;
  }

  /** Opens what these settings say, and closes what they no longer do. Only for who holds the lock of the state. Never throws. */
  async open({ control }: ListenSettings): Promise<void> {
    if (isDeepStrictEqual(control, this.#settings)) return;
    await this.close();
    const { log, run } = this.#parts;
    const server = createHttpServer(handleFor(this.#parts.control), log);
    try {
      this.#close = await listenAt(server, { path: control.socket, group: control.group }, run);
      this.#settings = control;
    } catch (error) {
      log.error("popgate cannot be asked", { reason: reasonOf(error) });
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const close = this.#close;
    this.#close = async () => {};
    this.#settings = undefined;
    await close();
  }
}
