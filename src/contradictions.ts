/** What no single key of the config shows: two of them contradict each other. */
import { basename, dirname } from "node:path";
import type { Fault } from "./errors.ts";
import { defaultName } from "./maps/opensmtpd.ts";
import { isPattern, nameOf, takesIn, type SourceSettings } from "./sources/settings.ts";

interface Contents {
  readonly state_dir?: string | undefined;
  readonly audit?: string | undefined;
  readonly source?: readonly SourceSettings[] | undefined;
  readonly map?:
    | readonly {
        readonly mta?: string | undefined;
        readonly table: string;
        readonly style?: string | undefined;
        readonly config_dir?: string | undefined;
        readonly name?: string | undefined;
      }[]
    | undefined;
  readonly adapter?: readonly { readonly name: string }[] | undefined;
  readonly guard?: { readonly adapter_ttl: Readonly<Record<string, number>> } | undefined;
}

/** Takes what is right key by key, and the names of the built-in adapters. */
export function contradictions(
  { source = [], map = [], adapter = [], guard, state_dir, audit }: Contents,
  adapters: readonly string[],
): Fault[] {
  const all = [...adapters, ...adapter.map(({ name }) => name)];
  return [
    ...adapterFaults(adapter, adapters),
    ...sourceFaults(source, all),
    ...mapFaults(map, source),
    ...(audit === undefined ? [] : auditFaults(audit, state_dir, source, map)),
    ...Object.keys(guard?.adapter_ttl ?? {})
      .filter((name) => !all.includes(name))
      .map((name): Fault => ["guard.adapter_ttl", noAdapter(name, all)]),
  ];
}

function noAdapter(name: string, adapters: readonly string[]): string {
  return `there is no adapter "${name}" (${adapters.join(", ")})`;
}

function adapterFaults(own: NonNullable<Contents["adapter"]>, builtIn: readonly string[]): Fault[] {
  return own.flatMap(({ name }, index): Fault[] => {
    const key = `adapter[${String(index)}].name`;
    if (builtIn.includes(name)) return [[key, `"${name}" is built in; take another name`]];
    const isTwice = own.findIndex((other) => other.name === name) < index;
    return isTwice ? [[key, `"${name}" is the name of another one`]] : [];
  });
}

function sourceFaults(all: readonly SourceSettings[], adapters: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  all.forEach((source, index) => {
    const key = `source[${String(index)}]`;
    for (const name of source.adapters ?? []) {
      if (adapters.includes(name)) continue;
      faults.push([`${key}.adapters`, noAdapter(name, adapters)]);
    }
    for (const other of all.slice(0, index)) {
      const twice = nameOf(other) === nameOf(source) || overlap(other, source);
      if (twice) faults.push([key, `"${nameOf(source)}" is read by "${nameOf(other)}" already`]);
    }
  });
  return faults;
}

function mapFaults(all: NonNullable<Contents["map"]>, sources: readonly SourceSettings[]): Fault[] {
  const faults: Fault[] = [];
  all.forEach((map, index) => {
    const key = `map[${String(index)}]`;
    if (sources.some((source) => reads(source, pathOf(map.table)))) {
      faults.push([`${key}.table`, `"${pathOf(map.table)}" is a log; choose another path`]);
    }
    if (all.findIndex((other) => pathOf(other.table) === pathOf(map.table)) < index) {
      faults.push([`${key}.table`, `"${pathOf(map.table)}" is written by two maps`]);
    }
    if (map.style !== undefined && map.mta !== "sendmail") {
      faults.push([`${key}.style`, 'belongs to mta = "sendmail"']);
    }
    if (map.config_dir !== undefined && map.mta !== "postfix") {
      faults.push([`${key}.config_dir`, 'belongs to mta = "postfix"']);
    }
    if (map.name !== undefined && map.mta !== "opensmtpd") {
      faults.push([`${key}.name`, 'belongs to mta = "opensmtpd"']);
    }
    const name = nameInSmtpd(map);
    if (name !== undefined && all.findIndex((other) => nameInSmtpd(other) === name) < index) {
      faults.push([`${key}.name`, `"${name}" is the name of another one; give this one its own`]);
    }
  });
  return faults;
}

/** What is appended to a table or a state would be the end of it, and a log that is followed must not grow by being read. */
function auditFaults(
  audit: string,
  stateDir: string | undefined,
  sources: readonly SourceSettings[],
  maps: NonNullable<Contents["map"]>,
): Fault[] {
  if (sources.some((source) => reads(source, audit))) {
    return [["audit", `"${audit}" is a log that is followed; choose another path`]];
  }
  const isTaken =
    maps.some(({ table }) => audit.startsWith(pathOf(table))) ||
    (dirname(audit) === stateDir && !basename(audit).startsWith("audit"));
  if (!isTaken) return [];
  return [["audit", `"${audit}" may be a file of popgate's already; call it audit.log`]];
}

/** What smtpd.conf calls the table, if it is OpenSMTPD's. */
function nameInSmtpd({ mta, name = defaultName }: NonNullable<Contents["map"]>[number]) {
  return mta === "opensmtpd" ? name : undefined;
}

function reads(source: SourceSettings, path: string): boolean {
  return source.type === "file" && takesIn(source.path, path);
}

/** Two patterns may take in the same path; that a log is then read twice has no effect. */
function overlap(one: SourceSettings, other: SourceSettings): boolean {
  if (one.type !== "file" || other.type !== "file") return false;
  if (isPattern(one.path) && isPattern(other.path)) return false;
  return takesIn(one.path, other.path) || takesIn(other.path, one.path);
}

/** The path of a `type:path` or of a path alone. */
function pathOf(name: string): string {
  return name.slice(name.indexOf("/"));
}
