/** Where a running popgate can be asked. What cannot be opened is told, and keeps popgate from nothing else. */
import { isDeepStrictEqual } from "node:util";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import type { Control } from "./control.ts";
import { createHttpServer } from "./http.ts";
import { handleFor, handleMetricsFor } from "./routes.ts";
import { listenAt, listenOn, type Listening } from "./socket.ts";

/** What the config says of them. */
export interface ListenSettings {
  readonly control: { readonly socket: string; readonly group?: string | undefined };
  /** `address:port`, for the metrics alone. */
  readonly metrics: { readonly listen?: string | undefined };
}

interface ListenersParts {
  readonly log: Log;
  readonly run: Run;
  readonly control: Control;
}

/** The control socket, and the metrics for the network. */
export class Listeners {
  readonly #control: Listener<ListenSettings["control"]>;
  readonly #metrics: Listener<ListenSettings["metrics"]>;

  constructor({ log, run, control }: ListenersParts) {
    this.#control = new Listener(log, ({ socket, group }) => {
      const server = createHttpServer(handleFor(control), log);
      return listenAt(server, { path: socket, group }, run);
    });
    this.#metrics = new Listener(log, ({ listen }) => {
      if (listen === undefined) return Promise.resolve(nowhere);
      return listenOn(createHttpServer(handleMetricsFor(control), log), listen);
    });
  }

  /** Opens what these settings say, and closes what they no longer do. Only for who holds the lock of the state. Never throws. */
  async open({ control, metrics }: ListenSettings): Promise<void> {
    await this.#control.open(control);
    await this.#metrics.open(metrics);
  }

  /** Lets nobody in any more. */
  async close(): Promise<void> {
    await Promise.all([this.#control.close(), this.#metrics.close()]);
  }
}

const nowhere: Listening = { stands: () => true, close: async () => {} };

/** One place, opened anew when its settings change, or it was removed. */
class Listener<Settings> {
  readonly #log: Log;
  readonly #listen: (settings: Settings) => Promise<Listening>;
  #settings: Settings | undefined;
  #open = nowhere;
  #isOver = false;

  constructor(log: Log, listen: (settings: Settings) => Promise<Listening>) {
    this.#log = log;
    this.#listen = listen;
  }

  async open(settings: Settings): Promise<void> {
    if (this.#isOver) return;
    if (isDeepStrictEqual(settings, this.#settings) && this.#open.stands()) return;
    await this.#shut();
    try {
      this.#open = await this.#listen(settings);
      this.#settings = settings;
      // A stop may have come meanwhile.
      if (this.#isOver) await this.#shut();
    } catch (error) {
      this.#log.error("popgate cannot be asked", { reason: reasonOf(error) });
    }
  }

  /** For good. Never throws: whoever stops has tables to empty. */
  close(): Promise<void> {
    this.#isOver = true;
    return this.#shut();
  }

  async #shut(): Promise<void> {
    const open = this.#open;
    this.#open = nowhere;
    this.#settings = undefined;
    await open.close().catch((error: unknown) => {
      this.#log.error("the control socket stays", { reason: reasonOf(error) });
    });
  }
}
