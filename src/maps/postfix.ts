/** Postfix: access(5) tables that postmap(1) builds. */
import { cutKeys, cutsOf, spelling, standsForOthers } from "./ipv6.ts";
import { mapText } from "./text.ts";
import { parseTable, refuseKeys, requireAbsolute, throwFaults } from "./table.ts";
import type { Client } from "../client.ts";
import type { Outcome } from "../run.ts";
import type { AccessMap, Index, MapSettings, Verdict } from "./map.ts";

/** What postmap adds to the name of the source. */
const suffixes: ReadonlyMap<string, string> = new Map([
  ["hash", ".db"],
  ["btree", ".db"],
  ["lmdb", ".lmdb"],
  ["cdb", ".cdb"],
]);

const types = [...suffixes.keys()].join(", ");

const refusals: ReadonlyMap<string, string> = new Map([
  ...["texthash", "cidr", "pcre", "regexp"].map(
    (type) => [type, "running smtpd processes do not notice a change without a reload"] as const,
  ),
  ["proxy", "name the table behind it; the proxy: prefix belongs into main.cf alone"],
  ["dbm", "it consists of two files, which cannot be replaced in one step"],
  ["sdbm", "it consists of two files, which cannot be replaced in one step"],
]);

/**
 * Gives the table of these settings. The keys are bare addresses, the value is `OK`: access(5), and
 * check_addr_access in src/smtpd/smtpd_check.c.
 * @throws ConfigError that names the table and what would be right
 */
export function postfixMap(settings: MapSettings): AccessMap {
  const faults: string[] = [];
  const { type, path } = parseTable(settings.table, faults);
  const suffix = suffixes.get(type);
  if (suffix === undefined) faults.unshift(typeFault(type));
  requireAbsolute("tool", settings.tool, faults);
  requireAbsolute("config_dir", settings.config_dir, faults);
  refuseKeys(settings, ["style", "name"], faults);
  throwFaults(settings, faults);

  const { tool = "postmap", config_dir } = settings;
  const config = config_dir === undefined ? [] : ["-c", config_dir];
  const live = `${path}${suffix ?? ""}`;
  const spell = spelling(settings, keys, cutKeys);
  return {
    settings,
    name: settings.table,
    source: path,
    render: (clients, excluded) => mapText(clients, spell(excluded), "\tOK"),
    leavesOut: standsForOthers,
    query: (client) => ({
      argv: [tool, ...config, "-q", "-", settings.table],
      keys: cutsOf(client),
    }),
    index: (aside): Index => ({
      argv: [tool, ...config, `${type}:${aside}`],
      stdin: false,
      makes: `${aside}${suffix ?? ""}`,
      live,
      // Not for cdb: "sequence operation is not supported".
      ...(type === "cdb" ? {} : { dump: [tool, ...config, "-s", `${type}:${aside}`] as const }),
      ask: [tool, ...config, "-q", "-", `${type}:${aside}`],
      ...(type === "lmdb" ? lmdb : {}),
      judge: (outcome) => judge(outcome, aside),
    }),
    advice: [
      "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, permit_auth_destination,",
      `    check_client_access ${settings.table}, reject_unauth_destination`,
    ],
  };
}

/**
 * postmap fills an lmdb in one transaction: it writes to pages that no reader uses, syncs them, and then writes one of two meta
 * pages, synchronously (slmdb.c and dict_lmdb.c in src/util; strace of 3.7.11). It waits for readers that are in it before, and
 * never for new ones; another postmap must be kept out. Killed 371 times in the middle while smtpd asked, it left one whole
 * version each time. On a full disk it says nothing, ends with 0, and the old version stands.
 *
 * Not by increments: `postmap -i` takes no lock at all and makes a transaction of each key, so that it may use pages again that
 * a reader is in; `postmap -d -` locks, but makes a transaction of each key, too. A whole one costs 50 ms at 100,000 keys.
 */
const lmdb = { inPlace: true, silent: true } as const;

function keys(client: Client, excluded: readonly string[]): readonly string[] {
  return standsForOthers(client, excluded) ? [] : [client];
}

function typeFault(type: string): string {
  if (type === "") return `write the table as type:path, type being one of ${types}`;
  const reason = refusals.get(type) ?? "popgate does not write it";
  return `type "${type}" is refused: ${reason}; use one of ${types}`;
}

/**
 * postmap ends with 0 when it drops lines, so its warnings about the file that it was given count (postmap(1), DIAGNOSTICS). But
 * that a key ends in a colon, as `2001:db8:1::` does, only makes it ask whether this is an alias file (postmap.c): it takes it.
 */
function judge(outcome: Outcome, aside: string): Verdict {
  const lines = outcome.stderr
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("; is this an alias file?"));
  if (!outcome.ok) {
    const why = lines.find((line) => /\b(?:fatal|panic|error): /.test(line)) ?? outcome.reason;
    const noType = /unsupported (?:dictionary|map) type/.test(why);
    return {
      is: "failed",
      why: noType ? `${why} (postconf -m lists the types that this Postfix has)` : why,
      forGood: noType || /fatal: open \S*main\.cf: /.test(why),
    };
  }
  const complaint = lines.find((line) => line.includes(aside) || /\b(?:fatal|error): /.test(line));
  return complaint === undefined
    ? { is: "made", remarks: lines }
    : { is: "doubtful", why: complaint };
}
