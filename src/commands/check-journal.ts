/** What `popgate check` says of a journal: whether it can be read, and how tightly its writers can be told apart. */
import type { Adapter } from "../adapters/adapter.ts";
import { isLogin, Matcher } from "../adapters/matcher.ts";
import { journalEntryOf } from "../sources/journal-entry.ts";
import type { JournalEntry, Trusted } from "../sources/journal-entry.ts";
import { journalctl } from "../sources/journalctl.ts";
import type { JournalSettings } from "../sources/settings.ts";
import { isTrusted, tightest, trustText } from "../sources/trust.ts";
import type { Trust } from "../sources/trust.ts";
import type { Outside } from "./command.ts";
import { fine, note, todo } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { shown } from "./shown.ts";

/** How far back it looks, in ms. */
const day = 86_400_000;
/** The latest entries that are looked at: what journalctl prints of them stays within what `run` takes. */
const mostEntries = 500;

/** Looks at the last day of a journal; `adapters` are those that count in it. */
export async function inspectJournal(
  settings: JournalSettings,
  adapters: readonly Adapter[],
  { clock, run }: Pick<Outside, "clock" | "run">,
): Promise<Finding[]> {
  const now = clock.now();
  const matcher = new Matcher(adapters, { zone: "UTC" });
  const argv = journalctl(settings, matcher.programs, { since: now - day }, false);
  const answer = await run([...argv, `--lines=${String(mostEntries)}`]);
  if (answer.missing) return [todo("there is no journalctl on PATH")];
  if (!answer.ok) {
    const who = "popgate's user has to be in the group systemd-journal";
    return [todo(`journalctl: ${answer.reason}; ${who}`)];
  }
  const entries = answer.stdout
    .split("\n")
    .map((line) => journalEntryOf(line))
    .filter((entry) => entry !== undefined);
  const logins = entries.filter(({ message, prefix }) => {
    if (message === undefined) return false;
    return isLogin(matcher.match({ bytes: message, prefix, live: false }, now));
  });
  if (logins.length === 0) {
    return [note(`no login is among its last ${String(entries.length)} entries of the last day`)];
  }
  return trustFindings(settings.trust, logins);
}

function trustFindings(trust: Trust, logins: readonly JournalEntry[]): Finding[] {
  const trusted = logins.filter((entry) => isTrusted(entry.trusted, trust));
  const others = logins.filter((entry) => !trusted.includes(entry));
  const refused = others.length === 0 ? [] : [refusedFinding(others, trusted.length === 0)];
  if (trusted.length === 0) return refused;
  const proposed = tightest(trusted.map((entry) => entry.trusted));
  const demands = shown(trustText(proposed));
  return [
    fine(`readable; ${counted(trusted.length)} lately that the config trusts`),
    ...refused,
    demands === trustText(trust)
      ? fine("its demand on the writers is as tight as these logins allow")
      : note(`the tightest demand that they satisfy: trust = ${demands}`),
  ];
}

/** Somebody forges, or the demand is wrong. */
function refusedFinding(others: readonly JournalEntry[], all: boolean): Finding {
  const writers = [...new Set(others.map((entry) => writerOf(entry.trusted)))];
  const text = `${counted(others.length)} lately that the config does not trust, written by ${writers.slice(0, 3).join("; ")}`;
  return all ? todo(text) : note(text);
}

function writerOf(trusted: Trusted): string {
  return Object.entries(trusted)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(" ");
}

function counted(logins: number): string {
  return `${String(logins)} login${logins === 1 ? "" : "s"}`;
}
