/** What one daemon's login looks like: data, checked when it is loaded. */
import type { Correlation } from "./correlate.ts";
import type { Reason } from "./refusal.ts";

/** The services whose logins count. */
export const services = ["imap", "pop3"] as const;
export type Service = (typeof services)[number];

/**
 * How it is known that the daemon writes what the patterns take: it was run in the lab, somebody published a line of it, its
 * source prints it, whoever runs popgate says so in the config; or nothing of these.
 */
export type Proof = "daemon" | "line" | "source" | "config" | "unproved";

/** One daemon. The patterns alone grant; they see the message behind the prefix, and each takes the whole of it. */
export interface Adapter {
  readonly name: string;
  /** An adapter without proof is off unless it is asked for by its name. */
  readonly proof: Proof;
  /** Why it is off unless it is asked for by its name, although there is proof. */
  readonly optIn?: string;
  /** Exact syslog tags; by service where the message does not always name it. */
  readonly programs: readonly string[] | Readonly<Record<Service, readonly string[]>>;
  /** A message that one of the patterns takes holds one of these: a line without one is not looked at. */
  readonly markers: readonly string[];
  /** How a message begins that speaks of a login. What begins so but fits no pattern is refused, and counted. */
  readonly opening?: RegExp;
  /** Whole messages of successful logins, with the groups `user`, `client` and, unless the tag tells it, `service`. */
  readonly logins: readonly RegExp[];
  /** A login that takes two lines, where the one that tells of success does not tell the client. */
  readonly correlate?: Correlation;
  /** Why a message may not count although it begins like a login. It refuses only: no grant rests on it. */
  readonly doubt?: (message: string) => Reason | undefined;
}

/**
 * Gives the adapter back if it is safe to load.
 * @throws RangeError that names the adapter and each fault
 */
export function defineAdapter(adapter: Adapter): Adapter {
  const faults = [
    ...nameFaults(adapter.name),
    ...programFaults(adapter.programs),
    ...markerFaults(adapter.markers),
    ...openingFaults(adapter.opening),
    ...loginFaults(adapter),
    ...correlationFaults(adapter),
  ];
  if (faults.length > 0) throw new RangeError(`adapter "${adapter.name}": ${faults.join("; ")}`);
  return Object.freeze(adapter);
}

/** Says whether an adapter counts where the config names none. */
export function isDefault({ proof, optIn }: Adapter): boolean {
  return proof !== "unproved" && optIn === undefined;
}

/** Gives those of all adapters that are named; where nothing is, those that are on by default. */
export function enabled(
  all: readonly Adapter[],
  names: readonly string[] | undefined,
): readonly Adapter[] {
  return all.filter((adapter) => names?.includes(adapter.name) ?? isDefault(adapter));
}

/** Each tag of an adapter with the service that it tells, if it tells one. */
export function tagsOf({
  programs,
}: Adapter): readonly [tag: string, service: Service | undefined][] {
  if (isList(programs)) return programs.map((tag) => [tag, undefined]);
  return services.flatMap((service) =>
    programs[service].map((tag): [string, Service] => [tag, service]),
  );
}

function isList(programs: Adapter["programs"]): programs is readonly string[] {
  return Array.isArray(programs);
}

function nameFaults(name: string): string[] {
  return /^[a-z][a-z0-9-]*$/.test(name) ? [] : ["its name is not made of a-z, 0-9 and -"];
}

function programFaults(programs: Adapter["programs"]): string[] {
  const tags = isList(programs) ? programs : services.flatMap((service) => programs[service]);
  if (tags.length === 0) return ["it has no programs"];
  const faults = tags
    .filter((tag) => !/^[!-9;-Z\\^-~]+$/.test(tag))
    .map((tag) => `"${tag}" cannot be a syslog tag`);
  if (new Set(tags).size < tags.length) faults.push("a program stands twice");
  return faults;
}

function markerFaults(markers: readonly string[]): string[] {
  if (markers.length === 0) return ["it has no marker"];
  return markers.some((marker) => marker.trim() === "") ? ["a marker is empty"] : [];
}

function openingFaults(opening: RegExp | undefined): string[] {
  return opening === undefined ? [] : anchorFaults(opening, false).map((one) => `opening ${one}`);
}

function loginFaults({ logins, correlate, programs }: Adapter): string[] {
  if (logins.length === 0 && correlate === undefined) return ["it has no login pattern"];
  const needed = ["user", "client", ...(isList(programs) ? ["service"] : [])];
  return wholeFaults(logins, "login pattern", needed);
}

function correlationFaults({ correlate, programs }: Adapter): string[] {
  if (correlate === undefined) return [];
  const { by, first, second, ends } = correlate;
  const faults: string[] = [];
  if (first.length === 0) faults.push("it has no first line");
  if (second.length === 0) faults.push("it has no second line");
  // What ends a session is no less important than what begins it: a process id comes again.
  if (ends.length === 0) faults.push("nothing ends its first line");
  const key = by === "session" ? ["session"] : [];
  const service = isList(programs) ? ["service"] : [];
  return [
    ...faults,
    ...wholeFaults(first, "first line", ["client", ...key]),
    ...wholeFaults(second, "second line", ["user", ...key, ...service]),
    ...wholeFaults(ends, "end", key),
  ];
}

function wholeFaults(patterns: readonly RegExp[], name: string, needed: readonly string[]) {
  return patterns.flatMap((pattern, index) =>
    patternFaults(pattern, needed).map((fault) => `${name} ${String(index + 1)} ${fault}`),
  );
}

/** Why a pattern for whole messages may not be loaded, given the groups that it needs: sentences without their subject. */
export function patternFaults(pattern: RegExp, needed: readonly string[]): string[] {
  const groups = groupsOf(pattern);
  const missing = needed.filter((group) => !groups.has(group));
  return [...anchorFaults(pattern, true), ...missing.map((group) => `has no group "${group}"`)];
}

function anchorFaults({ source, flags }: RegExp, whole: boolean): string[] {
  const faults: string[] = [];
  const extra = flags.replace("u", "");
  // g and y keep a position between calls, m anchors at lines inside the message, s and i widen what it says.
  if (extra !== "") faults.push(`has the flag ${extra}`);
  if (!source.startsWith("^")) faults.push("does not start with ^");
  if (whole && !/(?:^|[^\\])(?:\\\\)*\$$/.test(source)) faults.push("does not end with $");
  if (hasOpenAlternative(source)) faults.push("has a | outside of a group, which ends its anchors");
  return faults;
}

function hasOpenAlternative(source: string): boolean {
  let depth = 0;
  // A class cannot open a group, and an escaped character is none of these.
  for (const [token] of source.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|[()|]/gs)) {
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (token === "|" && depth === 0) return true;
  }
  return false;
}

function groupsOf({ source, flags }: RegExp): ReadonlySet<string> {
  // The empty alternative always matches, and a match names all groups of the pattern.
  const match = new RegExp(`${source}|`, flags.replace(/[gy]/g, "")).exec("");
  return new Set(Object.keys(match?.groups ?? {}));
}
