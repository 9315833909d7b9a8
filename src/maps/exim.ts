/** Exim: a file with one address a line, which a host list names; Exim reads it at every connection. */
import { mapText } from "./text.ts";
import { parseTable, refuseKeys, throwFaults } from "./table.ts";
import type { AccessMap, MapSettings } from "./map.ts";

/**
 * Gives the list of these settings: plain addresses, as "File names in address, domain, host lists" of Exim's manual
 * has them; a lookup type would want other spellings of IPv6.
 * @throws ConfigError that names the table and what would be right
 */
export function eximMap(settings: MapSettings): AccessMap {
  const faults: string[] = [];
  const { type, path } = parseTable(settings.table, faults);
  if (type !== "") {
    faults.unshift(
      `type "${type}" is refused: popgate writes a plain host list; give its path alone`,
    );
  }
  refuseKeys(settings, ["style", "tool", "config_dir"], faults);
  throwFaults(settings, faults);
  return {
    settings,
    name: path,
    source: path,
    render: (clients) => mapText(clients, (client) => [client], ""),
    advice: [
      `hostlist popgate_clients = ${path}`,
      "# in the ACL of acl_smtp_rcpt, before the statement that refuses to relay:",
      "accept hosts = +popgate_clients",
    ],
  };
}
