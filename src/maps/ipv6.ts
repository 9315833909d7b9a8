/** Which keys of an IPv6 client reach beyond it: on purpose, to its /64, or since the MTA cuts addresses short. */
import { network64, type Client } from "../client.ts";
import type { Excluded, MapSettings } from "./map.ts";

type Spell = (client: Client) => readonly string[];

const nothing: readonly string[] = [];

/** Why a table leaves a client out, for people. */
export const leftOut = "the MTA would take its address for a whole network";

/**
 * Gives how clients are spelled: `own` gives the keys of a client that is granted alone, and `network` those of a /64, of which it
 * is given the first four groups. The latter stand in the map where the settings say so and nothing is excluded in that /64, beside
 * the former: so whoever is granted stays in the map whatever is excluded later. Where it is not known what is excluded, each is
 * granted alone.
 */
export function spelling(
  { ipv6_prefix }: MapSettings,
  own: (client: Client, excluded: readonly string[]) => readonly string[],
  network: (groups: string) => readonly string[],
): (excluded: Excluded | undefined) => Spell {
  return (excluded) => (client) => {
    const isWide = ipv6_prefix === 64 && client.includes(":");
    // A client whose groups are all written stands for nobody else.
    if (excluded === undefined || (!isWide && !client.includes("::"))) return own(client, nothing);
    const there = excluded(client);
    const alone = own(client, there);
    const groups = isWide && there.length === 0 ? network64(client) : undefined;
    return groups === undefined ? alone : [...alone, ...network(groups)];
  };
}

/**
 * Says whether an MTA that also asks for an address with its last groups cut off (access(5) of Postfix, Sendmail's access map)
 * would take this client's compressed spelling for others that it must not stand for: for a network that reaches beyond its own
 * /64, or for somebody who is excluded.
 *
 * `2001:db8::5:1:2:3` cut short reads `2001:db8::5`, which is another client. With two groups or more before the `::`
 * such neighbours share the /64, since inet_ntop(3) never compresses a single group; with one group they need not.
 * Those that start with `::` are not routed, and nothing is cut down to an address that ends in `::`.
 */
export function standsForOthers(client: Client, excluded: readonly string[] = nothing): boolean {
  // Asked of every client at each write, and most have none.
  if (!client.includes("::")) return false;
  const [left = "", right = ""] = client.split("::");
  if (left === "" || right === "") return false;
  if (!left.includes(":") && right.split(":").length < 5) return true;
  // Which addresses of a network read so when they are cut short is not worth to be known: that is one in somebody's /64.
  return excluded.some((one) => one.startsWith(`${client}:`) || isPart(one));
}

/** Whether it is a network that is a part of a /64. */
function isPart(excluded: string): boolean {
  return Number(excluded.split("/")[1] ?? 0) > 64;
}

/**
 * Gives the keys that stand for a /64, and nothing else, with an MTA that cuts the last groups off a compressed address, one after
 * the other at its last colon (split_at_right in check_addr_access of Postfix's smtpd_check.c).
 *
 * Four written groups are the first four. If the last of them, or the last two, are zero, most addresses of the /64 have a `::` from
 * there on and are cut down to what stands before it and one colon: `2001:db8:1::5` to `2001:db8:1:`. As a `::` is two groups at
 * least, that is this /64, too. Where two zero groups stand before, `2001:0:0:5`, or three, there is no such key: `2001::5` and
 * `2001:` are read of other networks, too.
 */
export function cutKeys(groups: string): readonly string[] {
  if (/^0:|^[^:]+:0:0:/.test(groups)) return nothing;
  const cut = groups.replace(/(?::0){1,2}$/, ":");
  return cut === groups ? [groups] : [groups, cut];
}

/** What smtpd asks for one after the other: the address, and what is left of it when it is cut at its last colon or dot. */
export function cutsOf(client: Client): readonly string[] {
  const delimiter = client.includes(":") ? ":" : ".";
  const cuts: string[] = [client];
  for (let text: string = client; text.includes(delimiter);) {
    text = text.slice(0, text.lastIndexOf(delimiter));
    cuts.push(text);
  }
  return cuts;
}
