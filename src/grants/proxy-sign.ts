/** The sign that a proxy hides the clients: all logins of an hour come from one address, and that is refused. */
import type { Client } from "../client.ts";

/** Milliseconds that are looked at together. */
const span = 60 * 60_000;

/** Logins of a span that say something; whoever tries popgate out makes some from one place. */
const fewest = 10;

/** What to do about it, for whoever runs the host. */
export const proxyRemedy =
  "let the proxy pass the client's address on and the server believe it: Dovecot's login_trusted_networks with XCLIENT or IMAP ID, or haproxy_trusted_networks with HAProxy's PROXY protocol";

/** Looks at logins, an hour at a time. */
export class ProxySign {
  #began: number;
  #client: Client | undefined;
  #logins = 0;
  #hasOthers = false;

  /** Takes the monotonic present in ms. */
  constructor(began: number) {
    this.#began = began;
  }

  /** Hears of a login, and whether its address is refused. */
  see(client: Client, isRefused: boolean): void {
    if (this.#hasOthers) return;
    this.#logins++;
    this.#hasOthers = !isRefused || client !== (this.#client ??= client);
  }

  /** Gives the one client at the end of an hour that had no other one, and how often it logged in. Call it every few seconds. */
  step(monotonic: number): { readonly client: Client; readonly logins: number } | undefined {
    if (monotonic - this.#began < span) return undefined;
    const [client, logins, hasOthers] = [this.#client, this.#logins, this.#hasOthers];
    this.#began = monotonic;
    this.#client = undefined;
    this.#logins = 0;
    this.#hasOthers = false;
    return client === undefined || hasOthers || logins < fewest ? undefined : { client, logins };
  }
}
