/** What must not relay in a /64, whoever is granted there. */
import { network64, type Client } from "../client.ts";
import type { Revocation } from "../model.ts";
import { special, type Policy } from "./guard.ts";

const nothing: readonly string[] = [];

/** What is excluded in the /64 of a client: clients, networks that are a part of it, the built-in refusal that it lies in. */
export type ExcludedIn = (client: Client) => readonly string[];

/**
 * Takes what is excluded at this moment. Of networks that hold a whole /64 only the built-in ones matter: `allow` may let a part of
 * it in, while nobody is granted in what `never` holds whole. A user who is revoked excludes no address, as with IPv4 behind a NAT.
 */
export function exclusionsOf(
  { never, allow, own }: Pick<Policy, "never" | "allow" | "own">,
  revocations: Iterable<Revocation>,
): ExcludedIn {
  const clients = new Map<string, Client[]>();
  const exclude = (client: Client) => {
    const network = network64(client);
    if (network === undefined) return;
    const known = clients.get(network);
    if (known === undefined) clients.set(network, [client]);
    else known.push(client);
  };
  for (const one of own) if (!allow.has(one)) exclude(one);
  for (const one of revocations) if ("client" in one) exclude(one.client);
  return (client) => {
    const network = network64(client);
    if (network === undefined) return nothing;
    // All others begin with digits; that is asked of each client of a table.
    const builtIn = client.startsWith("f") && special.has(client, 64) && !allow.has(client, 64);
    const lists = [never.parts.get(network), special.parts.get(network), clients.get(network)];
    if (!builtIn && lists.every((list) => list === undefined)) return nothing;
    return [...lists.flatMap((list) => list ?? []), ...(builtIn ? [`${network}::/64`] : [])];
  };
}
