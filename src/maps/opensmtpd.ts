/** OpenSMTPD: a netaddr table, as a db(3) that its own makemap builds, or as a file that smtpd must be told of. */
import { spelling } from "./ipv6.ts";
import { mapText } from "./text.ts";
import { parseTable, refuseKeys, requireAbsolute, throwFaults } from "./table.ts";
import type { Outcome } from "../run.ts";
import type { AccessMap, Announcement, Heard, Index, MapSettings, Verdict } from "./map.ts";

const types = ["db", "file"];

/** What smtpd.conf calls the table unless the settings say otherwise. */
export const defaultName = "popgate";

/**
 * Gives the table of these settings. The keys are bare addresses (table(5), "Netaddr tables"; text_to_netaddr in to.c takes
 * them without brackets, too).
 * @throws ConfigError that names the table and what would be right
 */
export function opensmtpdMap(settings: MapSettings): AccessMap {
  const faults: string[] = [];
  const { type, path } = parseTable(settings.table, faults);
  const { tool, name = defaultName } = settings;
  if (!types.includes(type)) {
    faults.unshift(`write the table as type:path, type being one of ${types.join(", ")}`);
  }
  if (!/^[a-z][\w-]{0,63}$/i.test(name)) {
    faults.push(`name = "${name}" is no table's name: letters, digits, _ and -, a letter first`);
  }
  requireAbsolute("tool", tool, faults);
  refuseKeys(settings, ["style", "config_dir"], faults);
  throwFaults(settings, faults);

  const spell = spelling(
    settings,
    (client) => [client],
    (groups) => [`${groups}::/64`],
  );
  const table = type === "db" ? `${settings.table}.db` : settings.table;
  return {
    settings,
    name: settings.table,
    source: path,
    render: (clients, excluded) => mapText(clients, spell(excluded), "", listMark),
    ...(type === "db"
      ? { index: (aside) => database(tool ?? "makemap", aside, path) }
      : { announcement: announcement(tool ?? "smtpctl", name, path) }),
    // In quotes, since a word of smtpd.conf's own is no name otherwise: `table relay` is a syntax error.
    advice: [
      `table "${name}" ${table}`,
      "# behind the lines for mail to this host's own domains, which then never asks the table; with your action that relays:",
      `match from src <"${name}"> for any action "outbound"`,
    ],
  };
}

/**
 * Without it the first entry decides what the file is: an IPv6 address makes it one of keys and values, parted by the colon, and
 * of a file without entries smtpd says that it "may not be used for from lookups", and does not start (table_static.c).
 */
const listMark = "# @list\n";

function database(tool: string, aside: string, path: string): Index {
  return {
    argv: [tool, "-t", "set", "-o", `${aside}.db`, aside],
    stdin: false,
    makes: `${aside}.db`,
    live: `${path}.db`,
    judge,
  };
}

/** makemap ends with 1 at the first line that it does not like, and has then made nothing (makemap.c). */
function judge(outcome: Outcome): Verdict {
  const lines = outcome.stderr.split("\n").filter((line) => line !== "");
  const said = lines.filter((line) => !line.includes("warning: empty map created"));
  if (outcome.ok) {
    return said[0] === undefined ? { is: "made", remarks: [] } : { is: "doubtful", why: said[0] };
  }
  const why = said.find((line) => line.includes("makemap: ")) ?? said[0] ?? outcome.reason;
  return { is: "failed", why: withHint(why), forGood: cannotServe(why) };
}

/**
 * smtpd keeps a file's entries in memory until it is told to read it again. If it cannot, the old ones stay in force, so that
 * failing is as bad as not writing. It has no word for why it failed (smtpctl.c).
 */
function announcement(tool: string, name: string, path: string): Announcement {
  return {
    argv: [tool, "update", "table", name],
    judge(outcome): Heard {
      if (outcome.ok) return { is: "heard" };
      const said = outcome.stderr.split("\n", 1)[0] ?? "";
      if (said.includes("smtpd doesn't seem to be running")) return { is: "nobody", why: said };
      if (outcome.stdout.includes("command failed")) {
        const why = `command failed: smtpd has no table "${name}", or cannot read ${path}; until it does the table is the old one`;
        return { is: "failed", why, forGood: false };
      }
      const why = said === "" ? outcome.reason : said;
      return { is: "failed", why: withHint(why), forGood: cannotServe(why) };
    },
  };
}

/** Of both tools, which are one program: it wants to be of the group of smtpd's queue, and for `update` root. */
function cannotServe(why: string): boolean {
  return /need root privileges|must be setgid|unknown group|unsupported (?:DB )?type|^usage: /.test(
    why,
  );
}

function withHint(why: string): string {
  if (why.includes("need root privileges")) {
    return `${why}: run popgate as root, or use a table db:path, which smtpd need not be told of`;
  }
  if (why.includes("must be setgid")) {
    return `${why}: systemd's NoNewPrivileges= keeps it from that; run popgate with that as its group`;
  }
  return why;
}
