/** What an MTA looks clients up in. */
import type { Client } from "../client.ts";
import type { Outcome } from "../run.ts";

/** The MTAs that popgate writes for. */
export type Mta = "postfix" | "sendmail" | "exim" | "opensmtpd";

/** One map of the config, complete; the state remembers it in this form, so that it can be emptied later. */
export interface MapSettings {
  readonly mta: Mta;
  /** `type:path`, or the path alone where the MTA reads plain text. The path is absolute. */
  readonly table: string;
  /** Sendmail only: a table of popgate's own beside its ruleset, or a whole access map. */
  readonly style?: "popauth" | "access" | undefined;
  /** Another postmap, makemap or smtpctl than the one on PATH. */
  readonly tool?: string | undefined;
  /** Postfix only: another instance's config directory. */
  readonly config_dir?: string | undefined;
  /** OpenSMTPD only: what smtpd.conf calls the table. */
  readonly name?: string | undefined;
  /** 64 if a granted IPv6 client stands for its whole /64. */
  readonly ipv6_prefix?: 64 | undefined;
}

/**
 * What must not relay in the /64 of an IPv6 client, whoever is granted there: clients, networks that are a part of it, and the
 * built-in refusal that it lies in. Empty for IPv4.
 */
export type Excluded = (client: Client) => readonly string[];

/** What a tool's words and status say about the index that it made of a clean source. */
export type Verdict =
  /** It took the source as it stands. `remarks` are what it said besides, not about the source. */
  | { readonly is: "made"; readonly remarks: readonly string[] }
  /** It made an index and complained: what it made must be compared with the source. */
  | { readonly is: "doubtful"; readonly why: string }
  /** It failed; with `forGood` it will fail until somebody changes the config or the host. */
  | { readonly is: "failed"; readonly why: string; readonly forGood: boolean };

type Argv = readonly [string, ...string[]];

/** How an index is built from a map source that stands aside under a name of its own. */
export interface Index {
  readonly argv: Argv;
  /** True if the tool reads the source from its standard input. */
  readonly stdin: boolean;
  /** The file that the tool makes. */
  readonly makes: string;
  /** The file that the MTA reads: `makes` is renamed to it. */
  readonly live: string;
  /**
   * True if the tool changes an index that is there in one transaction of its own: readers, a kill, a power cut and a full
   * disk leave one whole version, and sessions that are open see the new one. Such an index is changed where it stands.
   */
  readonly inPlace?: boolean;
  /** True if the tool's silence and status 0 do not mean that anything was written: it is asked before it counts. */
  readonly silent?: boolean;
  /** Prints what was made, `key value` a line; absent where the tool cannot. */
  readonly dump?: Argv;
  /** Takes keys on standard input, one a line, and prints those that are in it, `key value` a line; absent where the tool cannot. */
  readonly ask?: Argv;
  /** Judges a run of `argv`, except whether the program is there and whether the file was made. */
  judge(outcome: Outcome): Verdict;
}

/** What became of the word that a table has changed. */
export type Heard =
  | { readonly is: "heard" }
  /** No MTA runs that could hear it: one that starts reads the table as it is then. */
  | { readonly is: "nobody"; readonly why: string }
  /** It goes on with the table as it was; with `forGood` until somebody changes the config or the host. */
  | { readonly is: "failed"; readonly why: string; readonly forGood: boolean };

/** How an MTA is told, once a new version is in its place, to read it: one that does not look by itself. */
export interface Announcement {
  readonly argv: Argv;
  /** Judges a run of `argv`, except whether the program is there. */
  judge(outcome: Outcome): Heard;
}

/** One table, pure: text and argv, no I/O. */
export interface AccessMap {
  readonly settings: MapSettings;
  /** As people know it: the table's `type:path`. */
  readonly name: string;
  /** The map source that popgate owns; where there is no index the MTA reads it. */
  readonly source: string;
  /**
   * Gives the whole map source for these clients: sorted, unique, ending in a line feed; an empty set gives a valid empty
   * map. It comes in pieces that take some milliseconds each; all clients are read before the second one. Without `excluded` no
   * client stands for its /64.
   */
  render(clients: Iterable<Client>, excluded?: Excluded): Iterable<string>;
  /**
   * Whether the map leaves this client out, in whose /64 this is excluded, since the MTA would take its key for a network; absent
   * if it leaves none out.
   */
  readonly leavesOut?: (client: Client, excluded: readonly string[]) => boolean;
  /** Says how the index is built from the source that stands at `aside`; absent where the MTA reads the source itself. */
  readonly index?: (aside: string) => Index;
  /** How the MTA is told of a new version; absent where it looks by itself. Saying it twice does no harm. */
  readonly announcement?: Announcement;
  /**
   * Asks the live table for one client, as the MTA does: takes `keys` on standard input, one a line, and prints those that are in it,
   * `key value` a line; the first of them counts. Absent where no tool can.
   */
  readonly query?: (client: Client) => { readonly argv: Argv; readonly keys: readonly string[] };
  /** The lines that the admin puts into the MTA's config so that it asks this table. */
  readonly advice: readonly string[];
}
