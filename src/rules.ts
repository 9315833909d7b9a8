/** The config's keys that the guard goes by, as it takes them. */
import { networks } from "./client.ts";
import type { Config } from "./config.ts";
import { names } from "./grants/names.ts";
import type { Rules } from "./grants/rules.ts";
import { nameOf, takesIn } from "./sources/settings.ts";

/** Names of sources whose ttl is remembered. */
const remembered = 1000;

/** Gives the rules of a config. */
export function rulesOf(config: Config): Rules {
  const { ttl, guard } = config;
  return {
    ttl,
    ttlOf: ttlOf(config),
    longestTtl: longestTtl(config),
    never: networks(guard.never),
    allow: networks(guard.allow),
    services: new Set(guard.services),
    allowUsers: names(guard.allow_users),
    denyUsers: names(guard.deny_users),
    maxGrants: guard.max_grants,
    maxClientsPerUser: guard.max_clients_per_user,
    tooManyClients: guard.too_many_clients,
    hold: guard.hold,
    maxUsersPerClient: guard.max_users_per_client,
    tooManyUsers: guard.too_many_users,
    shortTtl: guard.short_ttl,
  };
}

/** The longest time, in ms, for which a login may count: what is older need not be read. */
export function longestTtl({ ttl, source, guard }: Config): number {
  const others = [...source.map((one) => one.ttl), ...Object.values(guard.adapter_ttl)];
  return Math.max(ttl, ...others.map((other) => other ?? 0));
}

/** A source's, and an adapter's, comes before the general one; of these two the shorter counts. */
function ttlOf({ ttl, source, guard }: Config): Rules["ttlOf"] {
  const byAdapter = new Map(Object.entries(guard.adapter_ttl));
  if (byAdapter.size === 0 && source.every((one) => one.ttl === undefined)) return () => ttl;
  const bySource = new Map<string, number | undefined>();
  const ofSource = (name: string): number | undefined => {
    if (bySource.has(name)) return bySource.get(name);
    const settings = source.find(
      (one) => nameOf(one) === name || (one.type === "file" && takesIn(one.path, name)),
    );
    if (bySource.size >= remembered) bySource.clear();
    bySource.set(name, settings?.ttl);
    return settings?.ttl;
  };
  return (adapter, name) => {
    const shorter = Math.min(
      byAdapter.get(adapter) ?? Infinity,
      (name === undefined ? undefined : ofSource(name)) ?? Infinity,
    );
    return shorter === Infinity ? ttl : shorter;
  };
}
