/** The logins of the last day of a source, from wherever it keeps them: a log with its rotated generations, or the journal. */
import { statSync } from "node:fs";
import type { Adapter } from "../adapters/adapter.ts";
import { isLogin, Matcher } from "../adapters/matcher.ts";
import { codeOf, KnownError } from "../errors.ts";
import { hostZone } from "../host.ts";
import type { Line, Login } from "../model.ts";
import { journalEntryOf } from "../sources/journal-entry.ts";
import { journalctl } from "../sources/journalctl.ts";
import { LineSplitter, LineStream } from "../sources/lines.ts";
import { withRotated } from "../sources/logs.ts";
import { logsLike } from "../sources/pattern.ts";
import { readLines } from "../sources/reader.ts";
import {
  isPattern,
  type FileSettings,
  type JournalSettings,
  type SourceSettings,
} from "../sources/settings.ts";
import { isTrusted } from "../sources/trust.ts";
import type { Outside } from "./command.ts";
import { Gauge } from "./gauge.ts";

/** How far back it looks, in ms. */
const day = 86_400_000;

/** Gives them in the order of the log, none for a source that cannot be read: that is told elsewhere. */
export async function loginsOfLastDay(
  source: SourceSettings,
  adapters: readonly Adapter[],
  outside: Outside,
): Promise<readonly Login[]> {
  const now = outside.clock.now();
  const logins: Login[] = [];
  const take = (matcher: Matcher, line: Pick<Line, "bytes" | "prefix" | "live">) => {
    const found = matcher.match(line, now);
    if (isLogin(found) && found.at >= now - day) logins.push(found);
  };
  try {
    if (source.type === "file") await readLogs(source, adapters, outside, take);
    else if (source.type === "journal") await readJournal(source, adapters, outside, take);
  } catch (error) {
    if (!(error instanceof KnownError) && codeOf(error) === undefined) throw error;
  }
  return logins;
}

type Take = (matcher: Matcher, line: Pick<Line, "bytes" | "prefix" | "live">) => void;

async function readLogs(
  { path, zone = hostZone(), format }: FileSettings,
  adapters: readonly Adapter[],
  outside: Outside,
  take: Take,
): Promise<void> {
  const since = outside.clock.now() - day;
  const gauge = new Gauge(outside);
  for (const log of isPattern(path) ? logsLike(path) : [path]) {
    const matcher = new Matcher(adapters, { zone, format });
    for (const file of withRotated(log)) {
      if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < since) continue;
      let logins = 0;
      const wants = (bytes: Buffer, from: number, end: number) => matcher.wants(bytes, from, end);
      const deliver = (line: Line) => {
        logins++;
        take(matcher, line);
      };
      await readLines(
        file,
        wants,
        deliver,
        gauge.of(file, () => logins),
      );
    }
  }
  gauge.clear();
}

async function readJournal(
  settings: JournalSettings,
  adapters: readonly Adapter[],
  { clock, spawn }: Outside,
  take: Take,
): Promise<void> {
  const matcher = new Matcher(adapters, { zone: "UTC" });
  const since = clock.now() - day;
  const child = await spawn(journalctl(settings, matcher.programs, { since }, false));
  const lines = new LineStream(new LineSplitter(() => true), (bytes) => {
    const entry = journalEntryOf(bytes.toString());
    if (entry?.message === undefined || !isTrusted(entry.trusted, settings.trust)) return;
    take(matcher, { bytes: entry.message, prefix: entry.prefix, live: false });
  });
  for await (const chunk of child.output) lines.push(chunk);
}
