/** Sendmail: a popauth table of popgate's own, or a whole access map, both built by makemap(8). */
import { spelling, standsForOthers } from "./ipv6.ts";
import { mapText } from "./text.ts";
import { parseTable, refuseKeys, requireAbsolute, throwFaults } from "./table.ts";
import { uncompressed, type Client } from "../client.ts";
import type { Outcome } from "../run.ts";
import type { AccessMap, Index, MapSettings, Verdict } from "./map.ts";

const types = ["hash", "btree"];

/**
 * Gives the table of these settings; the style is `popauth` if none is given.
 * @throws ConfigError that names the table and what would be right
 */
export function sendmailMap(settings: MapSettings): AccessMap {
  const faults: string[] = [];
  const { type, path } = parseTable(settings.table, faults);
  if (!types.includes(type)) {
    faults.unshift(
      type === ""
        ? `write the table as type:path, type being one of ${types.join(", ")}`
        : `type "${type}" is refused: makemap builds it nowhere or in two files; use one of ${types.join(", ")}`,
    );
  }
  requireAbsolute("tool", settings.tool, faults);
  refuseKeys(settings, ["config_dir", "name"], faults);
  const { tool = "makemap", style = "popauth", ipv6_prefix } = settings;
  if (ipv6_prefix !== undefined && style === "popauth") {
    faults.push(
      `guard.ipv6_prefix = ${String(ipv6_prefix)}: the ruleset of style = "popauth" asks for whole addresses alone; take style = "access", or ipv6_prefix = 128`,
    );
  }
  throwFaults(settings, faults);

  // makemap reads sendmail.cf for TrustedUser alone, to give the file to that user, and fails where there is none. The
  // writer sets owner and mode itself, and sendmail opens its maps before it gives up root.
  const common = [tool, "-C/dev/null"] as const;
  const spell = spelling(settings, accessKeys, (groups) => [`Connect:IPv6:${groups}`]);
  return {
    settings,
    name: settings.table,
    source: path,
    render: (clients, excluded) =>
      style === "popauth"
        ? mapText(clients, popauthKeys, "\tOK")
        : mapText(clients, spell(excluded), "\tRELAY"),
    index: (aside): Index => ({
      argv: [...common, type, aside],
      stdin: true,
      makes: `${aside}.db`,
      live: `${path}.db`,
      dump: [...common, "-u", type, aside],
      judge,
    }),
    advice: style === "popauth" ? popauthAdvice(settings.table) : accessAdvice(settings.table),
  };
}

/** The spellings of `$&{client_addr}`: which one a sendmail uses depends on UseCompressedIPv6Addresses (conf.c, anynet_ntop). */
function popauthKeys(client: Client): readonly string[] {
  return client.includes(":") ? [`IPv6:${uncompressed(client)}`, `IPv6:${client}`] : [client];
}

/**
 * The access map is also asked for addresses with their last groups cut off. Four groups that are all written are a /64 in both
 * spellings; where the addresses are compressed, one that has a `::` among them is not cut down to these.
 */
function accessKeys(client: Client, excluded: readonly string[]): readonly string[] {
  if (!client.includes(":")) return [`Connect:${client}`];
  const whole = `Connect:IPv6:${uncompressed(client)}`;
  return standsForOthers(client, excluded) ? [whole] : [whole, `Connect:IPv6:${client}`];
}

/**
 * Two maps on the same file: an open that a rename falls into fails, since safefile.c and db_map_open of map.c compare the
 * file before and after (filechanged), and an optional map that is not open has no key. The second one opens it anew.
 */
function popauthAdvice(table: string): readonly string[] {
  const names = ["popauth", "popauthagain"];
  return [
    "LOCAL_CONFIG",
    ...names.map((name) => `K${name} ${table.replace(":", " -o -a<MATCH> ")}`),
    "LOCAL_RULESETS",
    "SLocal_check_rcpt",
    ...names.flatMap((name) => [`R$*\t$: $(${name} $&{client_addr} $)`, "R$* <MATCH>\t$# OK"]),
    "R$*\t$@ OK",
  ];
}

function accessAdvice(table: string): readonly string[] {
  return [`FEATURE(\`access_db', \`${table.replace(":", " -o -T<TMPF> ")}')dnl`];
}

/** makemap ends with EX_DATAERR (65) if it left out a line, and has made the map of all others. */
function judge(outcome: Outcome): Verdict {
  const lines = outcome.stderr.split("\n").filter((line) => line !== "");
  // Warnings are about the directories above the map: a sendmail that finds them unsafe does not open it.
  const remarks = lines.filter((line) => line.startsWith("WARNING: "));
  const said = lines.find((line) => !line.startsWith("WARNING: "));
  if (outcome.ok) {
    return said === undefined ? { is: "made", remarks } : { is: "doubtful", why: said };
  }
  const why = said ?? outcome.reason;
  if (outcome.reason.startsWith("exit status 65")) return { is: "doubtful", why };
  return {
    is: "failed",
    why,
    forGood: /Need to recompile|[Tt]ype .* not supported|unknown type/.test(why),
  };
}
