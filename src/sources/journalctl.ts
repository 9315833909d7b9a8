/** How journalctl is asked for the entries of a source. Pure. */
import { fieldNames } from "./journal-entry.ts";
import type { JournalSettings } from "./settings.ts";

/** Where to begin: at an entry, which comes again, or at a moment, ms since 1970. */
export type Begin = { readonly cursor: string } | { readonly since: number };

/** journald itself tells that it suppressed the messages of a unit. */
const journald = "systemd-journald";

/**
 * Gives the argv for the entries from `begin` on, one JSON object a line, oldest first; see journalctl(1). Without `follow` it
 * ends where the journal ends. `programs` are asked for where the settings choose neither units nor identifiers.
 */
export function journalctl(
  { units, identifiers, namespace, directory }: JournalSettings,
  programs: readonly string[],
  begin: Begin,
  follow: boolean,
): readonly [string, ...string[]] {
  const ownUnit = `${journald}${namespace === undefined ? "" : `@${namespace}`}.service`;
  const chosen = identifiers ?? (units === undefined ? programs : []);
  return [
    "journalctl",
    "--no-pager",
    "--output=json",
    // A field of more than 4096 bytes is shown as null, and so bounds what one entry can cost.
    `--output-fields=${fieldNames.join(",")}`,
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
    ...(directory === undefined ? [] : [`--directory=${directory}`]),
    ...(units === undefined ? [] : [...units, ownUnit].map((unit) => `--unit=${unit}`)),
    ...(chosen.length === 0 ? [] : [...chosen, journald].map((one) => `--identifier=${one}`)),
    // Not `--after-cursor`: where that entry is gone, or is none of those asked for, it leaves out the next one instead.
    "cursor" in begin
      ? `--cursor=${begin.cursor}`
      : `--since=@${(Math.floor(begin.since) / 1000).toFixed(3)}`,
    ...(follow ? ["--follow", "--no-tail"] : []),
    // It would follow the latest boot alone, of all machines whose journals are there, and nothing once that machine has rebooted.
    ...(follow && directory !== undefined ? ["--merge"] : []),
  ];
}

/** Says whether journalctl may take a name for that of a unit: it knows patterns, and adds `.service`. */
export function mayMean(name: string, unit: string): boolean {
  return name === unit || `${name}.service` === unit || /[*?[]/.test(name);
}
