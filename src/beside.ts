/** The /64 of an IPv6 client: who else is granted there, and what is told where it is not granted whole. */
import { network64, type Client } from "./client.ts";
import type { Gate } from "./grants/gate.ts";
import type { Log } from "./log.ts";
import { leftOut } from "./maps/ipv6.ts";
import type { Tables } from "./maps/tables.ts";
import type { Grant } from "./model.ts";

/** The live grants of the other clients in this one's /64, where that is granted whole: none if anything in it is excluded. */
export function grantedBeside(client: Client, gate: Gate, tables: Tables): Grant[] {
  const network = network64(client);
  if (network === undefined || !isWide(tables) || gate.excluded()(client).length > 0) return [];
  const start = network.slice(0, network.indexOf(":") + 1);
  const beside: Grant[] = [];
  for (const grant of gate.live()) {
    // There may be a hundred thousand.
    if (!grant.client.startsWith(start) || grant.client === client) continue;
    if (network64(grant.client) === network) beside.push(grant);
  }
  return beside;
}

/** Tells of a client that was just granted which tables leave it out, and why they do not hold its /64, if they should. */
export function tellBreadth(
  client: Client,
  { gate, tables, log }: { readonly gate: Gate; readonly tables: Tables; readonly log: Log },
): void {
  // One that is not widened stands for others only where its address is written with a ::.
  if (!client.includes("::") && (!client.includes(":") || !isWide(tables))) return;
  const there = gate.excluded()(client);
  const excluded = there.length === 0 ? undefined : there.join(" ");
  for (const table of tables.leavingOut(client, there)) {
    log.warning("not published", { client, table, reason: leftOut, excluded });
  }
  if (excluded !== undefined && isWide(tables))
    log.info("granted without its /64", { client, excluded });
}

/** Whether the tables are to hold the /64 of an IPv6 client. */
function isWide(tables: Tables): boolean {
  return tables.health().some(({ map, orphan }) => !orphan && map.settings.ipv6_prefix === 64);
}
