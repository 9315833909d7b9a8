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

/** Clients of one generation: so many of those that were refused last are remembered, and up to twice as many. */
const mostClients = 1000;

/** Refusals of one client. */
const mostEach = 5;

/** The refusals of the clients that were refused last. */
export class RefusalHistory {
  /** Two generations: a map that is emptied from its front, one by one, gets slow. The latest refusal stands last. */
  #young = new Map<Client, RefusedLogin[]>();
  #old = new Map<Client, RefusedLogin[]>();

  /** Remembers one. */
  add(refused: RefusedLogin): void {
    const { client } = refused;
    let all = this.#young.get(client);
    if (all === undefined) {
      all = this.#old.get(client) ?? [];
      if (this.#young.size >= mostClients) {
        this.#old = this.#young;
        this.#young = new Map();
      }
      this.#young.set(client, all);
    }
    if (all.length >= mostEach) all.shift();
    all.push(refused);
  }

  /** Gives those of one client, the newest first. */
  of(client: Client): readonly RefusedLogin[] {
    return (this.#young.get(client) ?? this.#old.get(client) ?? []).toReversed();
  }
}
