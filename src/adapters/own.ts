/** The adapters that a user wrote into the config: they become what the built-in ones are, or it is told why not. */
import type { Fault } from "../errors.ts";
import { defineAdapter, patternFaults } from "./adapter.ts";
import type { Adapter, Service } from "./adapter.ts";
import { longestText } from "./parts.ts";
import { keyOfPattern, sampleFaults } from "./trial.ts";

/** An adapter as the config has it. */
export interface OwnAdapter {
  readonly name: string;
  /** Exact syslog tags. */
  readonly programs: readonly string[];
  /** Of all its logins, unless its patterns have a group `service`. */
  readonly service?: Service | undefined;
  /** Sources of regular expressions, each for the whole message behind the prefix. */
  readonly pattern: readonly string[];
  /** Whole lines of the log that are logins, and that are none. */
  readonly must_match: readonly string[];
  readonly must_not_match: readonly string[];
}

/** Characters: every line of the log is searched for the marker, and a shorter one stands in too many. */
const shortestMarker = 4;

/** One pattern of the config: its key, and what it is, or what is wrong with it. */
interface Compiled {
  readonly key: string;
  readonly pattern?: RegExp;
  readonly faults: readonly string[];
}

/**
 * Takes the config's adapters, the built-in ones, and who tells for each of some patterns why a hostile line could hold it up.
 * Gives the adapters, or all their faults, each with its key from `adapter[0]` on. Nothing is matched against a pattern before it
 * is known that this comes to an end.
 */
export async function ownAdapters(
  all: readonly OwnAdapter[],
  builtIn: readonly Adapter[],
  linearityFaults: (patterns: readonly RegExp[]) => Promise<readonly (string | undefined)[]>,
): Promise<{ readonly adapters: readonly Adapter[]; readonly faults: readonly Fault[] }> {
  const compiled = all.map((own, index) => compile(own, `adapter[${String(index)}]`));
  const sound = compiled.flat().filter(({ faults }) => faults.length === 0);
  const costs = await linearityFaults(sound.flatMap(({ pattern }) => pattern ?? []));
  const faults: Fault[] = compiled
    .flat()
    .flatMap((one) => one.faults.map((fault): Fault => [one.key, fault]));
  sound.forEach(({ key }, index) => {
    const cost = costs[index];
    if (cost !== undefined) faults.push([key, cost]);
  });

  const adapters = new Map<OwnAdapter, Adapter>();
  all.forEach((own, index) => {
    const patterns = compiled[index] ?? [];
    if (faults.some(([key]) => patterns.some((one) => one.key === key))) return;
    adapters.set(own, adapterOf(own, patterns));
  });
  all.forEach((own, index) => {
    const adapter = adapters.get(own);
    if (adapter === undefined) return;
    const others = [...builtIn, ...adapters.values()].filter((other) => other !== adapter);
    for (const [key, fault] of sampleFaults(own, adapter, others)) {
      faults.push([`adapter[${String(index)}].${key}`, fault]);
    }
  });
  return { adapters: [...adapters.values()], faults };
}

function compile(own: OwnAdapter, place: string): Compiled[] {
  return own.pattern.map((source, index) => {
    const key = `${place}.${keyOfPattern(own, index)}`;
    const notation = notationFault(source);
    if (notation !== undefined) return { key, faults: [notation] };
    try {
      const pattern = new RegExp(source);
      return { key, pattern, faults: faultsOf(pattern, own) };
    } catch (error) {
      // "Invalid regular expression: /(/: Unterminated group": the pattern itself is known.
      const why = error instanceof SyntaxError ? error.message.split(": ").at(-1) : String(error);
      return { key, faults: [`is not a regular expression: ${why ?? ""}`] };
    }
  });
}

/** What is meant to be a pattern and is written for another program. */
function notationFault(source: string): string | undefined {
  if (/^\/.*\/[a-z]*$/s.test(source)) {
    return "stands between slashes; write the expression alone, it has no flags";
  }
  return /(?<!\\)\(\?[a-z]*-?[a-z]+[:)]/.test(source)
    ? "sets flags; a pattern has none"
    : undefined;
}

function faultsOf(pattern: RegExp, { service }: OwnAdapter): string[] {
  const needed = ["user", "client", ...(service === undefined ? ["service"] : [])];
  const faults = patternFaults(pattern, needed).map((fault) =>
    fault === 'has no group "service"' ? `${fault}, and there is no key service` : fault,
  );
  if (/^\^(?:\((?:\?:|\?<\w+>)?)*\.[*+{]/.test(pattern.source)) {
    faults.push("begins with anything: say what the message begins with");
  }
  if (longestText(pattern.source).length < shortestMarker) {
    faults.push(
      `has no text of ${String(shortestMarker)} characters that stands in every login: lines are searched for it`,
    );
  }
  return faults;
}

function adapterOf(
  { name, programs, service }: OwnAdapter,
  compiled: readonly Compiled[],
): Adapter {
  const logins = compiled.flatMap(({ pattern }) => pattern ?? []);
  const tags = (which: Service) => (which === service ? programs : []);
  return defineAdapter({
    name,
    proof: "config",
    programs: service === undefined ? programs : { imap: tags("imap"), pop3: tags("pop3") },
    markers: [...new Set(logins.map(({ source }) => longestText(source)))],
    logins,
  });
}
