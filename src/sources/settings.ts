/** What the config says about one source, and by which name it is known. */
import { basename, dirname } from "node:path";
import type { Format } from "../model.ts";

interface Common {
  /** The names of the adapters that look at its lines; all by default. */
  readonly adapters?: readonly string[] | undefined;
  /** Milliseconds for which its logins count, where that is not the usual time. */
  readonly ttl?: number | undefined;
}

/** A log, or all logs whose path fits a pattern with a `*` in its last part. */
export interface FileSettings extends Common {
  readonly type: "file";
  readonly path: string;
  /** An IANA name: of the stamps that do not tell their zone. */
  readonly zone?: string | undefined;
  /** What all its lines begin with; recognised line by line by default. */
  readonly format?: Format | undefined;
}

/** What journald itself knows of a writer, which no writer can choose. */
export const trustedFields = ["_UID", "_COMM", "_EXE", "_SYSTEMD_UNIT", "_TRANSPORT"] as const;
export type TrustedField = (typeof trustedFields)[number];

/** The systemd journal. */
export interface JournalSettings extends Common {
  readonly type: "journal";
  /** Only entries of these units. */
  readonly units?: readonly string[] | undefined;
  /** Only entries of programs that call themselves so; without either, of the programs that the adapters name. */
  readonly identifiers?: readonly string[] | undefined;
  /** Each field has one of these values, or the entry counts for nothing. */
  readonly trust: Readonly<Partial<Record<TrustedField, readonly string[] | undefined>>>;
  /** Another journald than the host's own (systemd-journald@.service). */
  readonly namespace?: string | undefined;
  /** The journal files of this directory instead of the host's own. */
  readonly directory?: string | undefined;
}

/** Standard input. */
export interface StdinSettings extends Common {
  readonly type: "stdin";
  readonly zone?: string | undefined;
  readonly format?: Format | undefined;
}

export type SourceSettings = FileSettings | JournalSettings | StdinSettings;

/** The name by which a source is told, and its checkpoints are kept. */
export function nameOf(settings: SourceSettings): string {
  switch (settings.type) {
    case "file":
      return settings.path;
    case "stdin":
      return "stdin";
    case "journal": {
      const { namespace, directory, units = [], identifiers = [] } = settings;
      const parts = [namespace ?? directory ?? [], units, identifiers].flat();
      return parts.length === 0 ? "journal" : `journal:${parts.join(",")}`;
    }
  }
}

/** Says whether the last part of the path has a `*`. */
export function isPattern(path: string): boolean {
  return basename(path).includes("*");
}

/** Says whether a pattern, or a plain path, takes in a path: a `*` stands for any characters but a slash, and for a leading dot never. */
export function takesIn(pattern: string, path: string): boolean {
  if (!isPattern(pattern)) return path === pattern;
  if (dirname(path) !== dirname(pattern)) return false;
  const name = basename(path);
  if (name.startsWith(".") && !basename(pattern).startsWith(".")) return false;
  const parts = basename(pattern).split("*");
  let from = 0;
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) return name.length - part.length >= from && name.endsWith(part);
    const at = index === 0 ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return false;
}
