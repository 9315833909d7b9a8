/** Exim: a file of addresses that a host list names, as a plain list or for a lookup; Exim reads it at every connection. */
import { spelling } from "./ipv6.ts";
import { mapText } from "./text.ts";
import { parseTable, refuseKeys, throwFaults } from "./table.ts";
import type { AccessMap, MapSettings } from "./map.ts";

interface Form {
  /** An address, or a network, whose colons are not taken for the end of a key. */
  readonly key: (text: string) => string;
  /** What stands before the path in a host list. */
  readonly lookup: string;
}

const plain: Form = { key: (text) => text, lookup: "" };

// In a list item a colon parts nothing; in the file of a lookup it ends the key, unless that is quoted ("iplsearch" in the
// chapter "File and database lookups" of Exim's manual). The other lookups want other spellings of IPv6.
const forms: ReadonlyMap<string, Form> = new Map([
  ["", plain],
  [
    "net-iplsearch",
    {
      key: (text) => (text.includes(":") ? `"${text}"` : text),
      lookup: "net-iplsearch;",
    },
  ],
]);

/**
 * Gives the list of these settings: plain addresses, as "File names in address, domain, host lists" of Exim's manual
 * has them, or with the type `net-iplsearch` the keys of that lookup.
 * @throws ConfigError that names the table and what would be right
 */
export function eximMap(settings: MapSettings): AccessMap {
  const faults: string[] = [];
  const { type, path } = parseTable(settings.table, faults);
  const { key, lookup } = forms.get(type) ?? plain;
  if (!forms.has(type)) {
    faults.unshift(
      `type "${type}" is refused: popgate writes a plain host list, its path alone, or net-iplsearch:path`,
    );
  }
  refuseKeys(settings, ["style", "tool", "config_dir", "name"], faults);
  throwFaults(settings, faults);
  const spell = spelling(
    settings,
    (client) => [key(client)],
    (groups) => [key(`${groups}::/64`)],
  );
  return {
    settings,
    name: settings.table,
    source: path,
    render: (clients, excluded) => mapText(clients, spell(excluded), ""),
    advice: [
      `hostlist popgate_clients = ${lookup}${path}`,
      "# in the ACL of acl_smtp_rcpt, before the statement that refuses to relay:",
      "accept hosts = +popgate_clients",
    ],
  };
}
