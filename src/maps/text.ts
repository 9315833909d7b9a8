/** What the map sources of all MTAs share: the header and the order of the lines. */
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
