/** The latest refusals of each client, so that it can be explained why it is not granted. */
import type { Client } from "../client.ts";
import type { Login } from "../model.ts";
import type { Reason } from "./guard.ts";

/** A login that the guard refused. */
export interface RefusedLogin extends Login {
  readonly reason: Reason;
  /** Where its line stands, if that is known. */
  readonly source?: string | undefined;
  readonly offset?: number | undefined;
  /** Why it was revoked, if that is the reason. */
  readonly why?: string | undefined;
}

/** Clients that are remembered: those that were refused last. */
const mostClients = 2000;

/** Refusals of one client. */
const mostEach = 5;

/** The refusals of the clients that were refused last. */
export class RefusalHistory {
  /** The client that was refused last stands last; of each, the latest refusal stands last, too. */
  readonly #byClient = new Map<Client, RefusedLogin[]>();

  /** Remembers one. */
  add(refused: RefusedLogin): void {
    const { client } = refused;
    const former = this.#byClient.get(client);
    if (former === undefined) {
      const [oldest] = this.#byClient.size >= mostClients ? this.#byClient.keys() : [];
      if (oldest !== undefined) this.#byClient.delete(oldest);
      this.#byClient.set(client, [refused]);
      return;
    }
    this.#byClient.delete(client);
    this.#byClient.set(client, former);
    if (former.length >= mostEach) former.shift();
    former.push(refused);
  }

  /** Gives those of one client, the newest first. */
  of(client: Client): readonly RefusedLogin[] {
    return (this.#byClient.get(client) ?? []).toReversed();
  }
}
