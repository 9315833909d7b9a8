/** What `--help` and popgate(8) tell beyond the options: data forms, signals, exit codes, files. */
import { exit } from "./errors.ts";
import { defaultConfigFile, defaultStateDir } from "./paths.ts";

const exitTexts: Readonly<Record<keyof typeof exit, string>> = {
  ok: "fine",
  no: "the answer is no: something is to be done",
  usage: "wrong usage",
  noInput: "no such input",
  software: "a bug",
  cannotCreate: "a file or a table cannot be written",
  tempFail: "try again",
  config: "the config is wrong, or asks for what this host does not have",
};

/** A title, and terms with what they mean; or a sentence. */
type Part = string | readonly [title: string, terms: Readonly<Record<string, string>>];

/** By the name of the command; popgate's own are those of all. A command may have none. */
const parts: Readonly<Record<string, readonly Part[]>> = {
  popgate: [
    [
      "Exit status",
      Object.fromEntries(
        Object.entries(exitTexts).map(([name, text]) => [
          String(exit[name as keyof typeof exit]),
          text,
        ]),
      ),
    ],
    [
      "Files",
      {
        [defaultConfigFile]: "the config, if no other is named",
        [`${defaultStateDir}/state.jsonl`]:
          "what outlives a stop: the grants with their end, how far the logs were read, the tables",
        [`${defaultStateDir}/control`]: "where the running popgate is asked and told",
        "/var/log/popgate/audit.log": "the audit, where `audit` in the config says so",
        [`${defaultStateDir}/relay`]:
          "the usual table; its index stands beside it, and an empty one in reserve, .relay.popgate-empty-*",
      },
    ],
    [
      "Environment",
      {
        PATH: "where postmap, makemap, journalctl, flock and systemd-notify are found",
        TZ: "the zone of stamps that do not tell theirs, where the config does not say",
        NOTIFY_SOCKET: "where systemd wants to be told that popgate is ready, reloads and stops",
        WATCHDOG_USEC: "how often systemd wants to hear that popgate works",
      },
    ],
  ],
  run: [
    "It logs `ready` when it follows the logs and the tables are published, a line an event on standard error.",
    [
      "Signals",
      {
        "SIGTERM, SIGINT":
          "read what is there, save, empty every table, and end; a second one ends at once",
        SIGHUP:
          "read the config again; if anything is wrong with it, the running one stays; and open the audit anew",
      },
    ],
  ],
  setup: [
    "It prints the config, and tells on standard error what the MTA needs. With --json it prints one object: config, mta, advice (lines for the MTA) and notes.",
  ],
  check: [
    "What is to be done is told as `todo`, and the exit status is 1 then; what is `fine` or a `note` needs nothing. The logins of the last day are taken past the guard, and grant nothing.",
  ],
  match: [
    "With --json, an object a login: line (counted from 1), at, adapter, service, user and client, and file where there are several. With --count, one object: lines, logins, clients. Times are in ISO 8601, UTC.",
    "A directory stands for all logs in it, with their rotated generations.",
  ],
  list: [
    "With --json, an object a grant: client, user, service, adapter, granted, expires, and why if it was ordered. With --sources, an object a source: name, position, lag_bytes, lag_seconds, lines, rotations, dropped, gaps and, if something is wrong, trouble.",
    "It shows what the running popgate knows; where none runs, what was saved last, and it says so.",
  ],
  report: [
    "It reads the file that `audit` in the config names, and its rotated generations, packed by gzip or not. A user is one, whatever the case of the name; days are those of UTC. Logins are counted that granted or renewed: one a second, if the log has whole seconds. Those that renewed count when their hour is over, or popgate has stopped.",
    "With --json, objects with a kind: user (user, logins, days, first, last, services, adapters, clients with their logins and last, more_clients if not all are named), refusals (reason, text, times, clients, last), total (users, clients, logins, ordered, lost, first, last). With --csv, columns user, logins, days, clients, latest_client, first, last, services; what a spreadsheet would take for a formula has an apostrophe in front.",
    "The exit status is 66 if a file could not be read to its end.",
  ],
  status: [
    "With --json, one object: health, reasons, grants, sources, maps, drift, counters and more. The exit status is 0 if popgate runs and is healthy, else 1.",
  ],
  explain: [
    "With --json, one object: client, granted, grant, neighbour, excluded, withdrawn, never, revocations, refusals, running, line and maps. The exit status is 0 if a running popgate that is not withdrawn grants the client, or by a neighbour its whole /64, else 1.",
  ],
  grant: [
    "With --json, one object: the grant as list has it, published (the tables that have it) and unpublished (those that do not, each with its table and reason). The exit status is 0 if a table has it; 1 if the guard refuses it, or every table leaves it out.",
  ],
  withdraw: [
    "A popgate that runs is told, which a member of control.group may do as well, does it itself, and keeps its tables empty until it is restarted or reloaded; the grants return then, unless they are forgotten.",
  ],
};

/** Gives what follows the options in the help of a command, in the form of the rest: titles, and terms in columns. */
export function detailsOf(command: string): string {
  return (parts[command] ?? [])
    .map((part) => {
      if (typeof part === "string") return `\n${part}\n`;
      const [title, terms] = part;
      const width = Math.max(...Object.keys(terms).map((term) => term.length));
      const rows = Object.entries(terms).map(
        ([term, text]) => `  ${term.padEnd(width)}  ${text}\n`,
      );
      return `\n${title}:\n${rows.join("")}`;
    })
    .join("");
}
