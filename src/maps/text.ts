/** What the map sources of all MTAs share: the header, the order of the lines, the spellings of a client. */
import type { Client } from "../client.ts";
import { sortedRuns } from "./sort.ts";

/** How every map source of popgate begins, in all versions: by this it knows its own files again. */
export const mark = "# popgate writes this file";

const header = `${mark} and its index: what is changed here by hand is lost.\n`;

/**
 * Gives a map source in pieces: the header and `remark`, a comment line that means something to the MTA, then every key that
 * `spell` makes of the clients, once, in bytewise order, with `tail` behind it. postmap, makemap (either one), Exim and smtpd
 * skip lines that start with `#`.
 */
export function* mapText(
  clients: Iterable<Client>,
  spell: (client: Client) => readonly string[],
  tail: string,
  remark = "",
): Generator<string> {
  yield header + remark;
  for (const run of sortedRuns(clients, spell)) {
    let piece = "";
    for (const key of run) piece += `${key}${tail}\n`;
    yield piece;
  }
}

/** Gives an IPv6 client as eight groups without `::`, and an IPv4 client as it is. */
export function uncompressed(client: Client): string {
  const [left = "", right] = client.split("::");
  if (right === undefined) return client;
  const before = groupsOf(left);
  const after = groupsOf(right);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].join(":");
}

/**
 * Says whether an MTA that also asks for an address with its last groups cut off (access(5) of Postfix, Sendmail's
 * access map) would take this client's compressed spelling for a network that reaches beyond its own /64.
 * `2001:db8::5:1:2:3` cut short reads `2001:db8::5`, which is another client. With two groups or more before the `::`
 * such neighbours share the /64, since inet_ntop(3) never compresses a single group; with one group they need not.
 * Those that start with `::` are not routed, and nothing is cut down to an address that ends in `::`.
 */
export function standsForNetwork(client: Client): boolean {
  // Asked of every client at each write, and most have none.
  if (!client.includes("::")) return false;
  const [left = "", right = ""] = client.split("::");
  if (left === "" || right === "") return false;
  return groupsOf(left).length === 1 && groupsOf(right).length < 5;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}
