/** The guard: may this login grant? Yes, or the reason why not. */
import { networks, type Client, type Networks } from "../client.ts";
import type { Login } from "../model.ts";
import type { Grants } from "./grants.ts";
import { isSameAccount, type Names } from "./names.ts";
import type { Revocations } from "./revocations.ts";

/** Why the guard refuses a login. */
export type Reason =
  | "never"
  | "revoked"
  | "private"
  | "own"
  | "service"
  | "user"
  | "max_grants"
  | "max_clients_per_user"
  | "max_users_per_client";

/** What a reason means, in words that an admin can act on. */
export const reasonTexts: Readonly<Record<Reason, string>> = {
  never: "the address is in guard.never",
  revoked: "the client or its user was revoked",
  private: "the address is private or special: behind a proxy it would stand for everybody",
  own: "the address is one of this host's own: a proxy or webmail would stand for everybody",
  service: "guard.services does not name the service",
  user: "guard.allow_users does not name the user, or guard.deny_users does",
  max_grants: "guard.max_grants is reached",
  max_clients_per_user:
    "the user has guard.max_clients_per_user clients: a stolen password looks so",
  max_users_per_client:
    "more than guard.max_users_per_client users came from the address: a proxy or webmail looks so",
};

/** What is granted now. */
export type Held = Pick<Grants, "of" | "full" | "clientsOf">;

/** What the guard goes by. */
export interface Policy {
  readonly never: Networks;
  readonly allow: Networks;
  /** The addresses of the host itself, as they are now. */
  readonly own: ReadonlySet<Client>;
  readonly services: ReadonlySet<string>;
  readonly allowUsers: Names;
  readonly denyUsers: Names;
  readonly revocations: Pick<Revocations, "of">;
  readonly maxClientsPerUser: number;
}

/**
 * Addresses that stand for nobody in particular on the other side of a NAT, a proxy or a container's gateway
 * (IANA special-purpose registries, RFC 6890). The documentation networks are ordinary.
 */
export const special = networks([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "224.0.0.0/3",
  "::/128",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
]);

/** Gives the reason why this login may not grant, or undefined if it may. */
export function refusalOf(
  { client, user, service, at }: Pick<Login, "client" | "user" | "service" | "at">,
  policy: Policy,
  grants: Held,
  live = grants.of(client),
): Reason | undefined {
  const address = addressRefusalOf(client, policy, grants, live);
  if (address !== undefined) return address;
  if (!policy.services.has(service)) return "service";
  if (!policy.allowUsers.has(user) || policy.denyUsers.has(user)) return "user";
  if (policy.revocations.of(client, user, at) !== undefined) return "revoked";
  const isNew = live === undefined || !isSameAccount(live.user, user);
  if (isNew && grants.clientsOf(user) >= policy.maxClientsPerUser) return "max_clients_per_user";
  return undefined;
}

/** Gives the reason why this client may not be granted, whoever asks, or undefined if it may. */
export function addressRefusalOf(
  client: Client,
  { never, allow, own }: Policy,
  grants: Held,
  live = grants.of(client),
): Reason | undefined {
  // A live grant has passed the networks of the same policy.
  if (live === undefined) {
    if (never.has(client)) return "never";
    if (special.has(client) && !allow.has(client)) return "private";
    if (grants.full) return "max_grants";
  }
  return own.has(client) && !allow.has(client) ? "own" : undefined;
}
