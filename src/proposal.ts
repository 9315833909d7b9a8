/** From what a host has to the config that fits it, with a reason for each line. Pure. */
import { isDefault, tagsOf, type Adapter } from "./adapters/adapter.ts";
import type { HostFacts, MtaFacts } from "./facts.ts";
import { defaultStateDir } from "./paths.ts";
import { quoted, sourcesOf, type Block, type SourceProposal } from "./source-proposal.ts";

/** A config, and what else is to be known. */
export interface Proposal {
  readonly text: string;
  readonly notes: readonly string[];
  /** The MTA that it is for. */
  readonly mta: MtaFacts | undefined;
}

/** Processes that are not called as their programs call themselves in syslog. */
const processNames: Readonly<Record<string, readonly string[]>> = {
  courier: ["couriertcpd", "courierlogger"],
  cyrus: ["cyrmaster"],
};

const defaultTable = `${defaultStateDir}/relay`;

/** Gives the config for a host; `supported` are the MTAs that popgate writes for. */
export function propose(
  facts: HostFacts,
  adapters: readonly Adapter[],
  supported: readonly string[],
): Proposal {
  const running = runningDaemons(facts.processes, adapters);
  const sources = sourcesOf(facts, running);
  const mta = mtaOf(facts.mtas, supported);
  const followed = new Set(sources.flatMap((source) => source.adapters));
  const blocks: Block[] = [
    [
      `# popgate's config, as \`popgate setup\` proposes it for ${plain(facts.host)}. popgate.toml(5) tells all keys.`,
    ],
    [
      "# How long a login lets the client relay: the default.",
      'ttl = "30m"',
      "# The default, which the units and the init scripts make.",
      `state_dir = ${quoted(defaultStateDir)}`,
    ],
    ...sources.map(({ block }) => block),
    mapBlock(mta),
    [
      "[guard]",
      "# Private networks and this host's own addresses never relay by a login. Name here what else stands for many people: a",
      "# webmail, a proxy.",
      "never = []",
    ],
  ];
  return {
    text: `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`,
    notes: [
      ...unseen(running, followed),
      ...sourceNotes(facts, sources),
      ...mtaNotes(facts.mtas, mta, supported),
    ],
    mta,
  };
}

/** The adapters whose daemons run, as far as the names of processes tell: a name that several share tells nothing. */
export function runningDaemons(
  processes: readonly string[],
  adapters: readonly Adapter[],
): readonly string[] {
  const owners = new Map<string, Set<string>>();
  const all = adapters.flatMap((adapter) => {
    const tags = tagsOf(adapter).map(([tag]) => tag);
    return [...tags, ...(processNames[adapter.name] ?? [])].map((tag) => ({ tag, adapter }));
  });
  for (const { tag, adapter } of all) {
    const comm = tag.slice(0, 15);
    owners.set(comm, (owners.get(comm) ?? new Set()).add(adapter.name));
  }
  const names = new Set(
    processes.flatMap((process) => {
      // Two adapters of one daemon, such as Dovecot's as a proxy: the one that is on by default.
      const own = [...(owners.get(process) ?? [])].filter((name) =>
        adapters.some((adapter) => adapter.name === name && isDefault(adapter)),
      );
      return own.length === 1 ? own : [];
    }),
  );
  return [...names];
}

/** The one that runs, or else the first that is installed. */
function mtaOf(mtas: readonly MtaFacts[], supported: readonly string[]): MtaFacts | undefined {
  const known = mtas.filter(({ mta }) => supported.includes(mta));
  return known.find(({ runs }) => runs) ?? known[0];
}

function mapBlock(found: MtaFacts | undefined): Block {
  if (found === undefined) {
    return [
      "# No MTA was found here: name it, and the type of its tables.",
      "[[map]]",
      'mta = "postfix"',
      `table = ${quoted(`lmdb:${defaultTable}`)}`,
    ];
  }
  const { mta, version, by, runs, type } = found;
  const what = `${mta}${version === undefined ? "" : ` ${plain(version)}`}`;
  const table =
    mta === "postfix" && type !== undefined && type !== ""
      ? [
          "# The type of tables that this Postfix has by default (postconf: default_database_type).",
          `table = ${quoted(`${type}:${defaultTable}`)}`,
        ]
      : [
          "# Beside the state, where nobody but popgate may write; the MTA's own default type.",
          `table = ${quoted(defaultTable)}`,
        ];
  return [
    `# The MTA of this host is ${what} (${by})${runs ? ", and it runs" : "; it does not run now"}.`,
    "[[map]]",
    `mta = ${quoted(mta)}`,
    ...table,
  ];
}

function unseen(running: readonly string[], followed: ReadonlySet<string>): string[] {
  return running
    .filter((name) => !followed.has(name))
    .map((name) => `${name} runs, and where it logs was not found`);
}

function sourceNotes(facts: HostFacts, sources: readonly SourceProposal[]): string[] {
  const text = sources.flatMap(({ block }) => block).join("\n");
  const notes: string[] = [];
  if (facts.journal && text.includes('path = "') && facts.dovecot?.path === undefined) {
    notes.push(
      'every local user can forge lines of a syslog file; a source of type "journal" tells them from true ones',
    );
  }
  if (facts.dovecot?.toStderr === true) {
    notes.push(
      'what Dovecot prints does not count in a journal, where it may come in pieces: set its log_path to "syslog"',
    );
  }
  return notes;
}

function mtaNotes(
  mtas: readonly MtaFacts[],
  chosen: MtaFacts | undefined,
  supported: readonly string[],
): string[] {
  return mtas
    .filter((each) => each !== chosen)
    .map(({ mta, runs }) => {
      const state = runs ? "runs" : "is installed";
      return supported.includes(mta)
        ? `${mta} ${state}, too; a further [[map]] would be for it`
        : `${mta} ${state}; popgate does not write for it`;
    });
}

/** What programs told of themselves must not leave a comment. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
