/** What popgate tells while it runs: one readable `level event key=value` line on stderr, or one JSON object. */
import type { Clock } from "./clock.ts";

type Level = "info" | "warning" | "error";
type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Takes an event in a few plain words, and its fields; a field that is undefined is left out. */
export interface Log {
  info(event: string, fields?: Fields): void;
  warning(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

/** Gives a log that writes through `write`, a line a call; only JSON lines carry the time, since journals add their own. */
export function createLog(clock: Clock, write: (line: string) => void, json = false): Log {
  const tell =
    (level: Level) =>
    (event: string, fields: Fields = {}) =>
      write(json ? asJson(clock, level, event, fields) : asText(level, event, fields));
  return { info: tell("info"), warning: tell("warning"), error: tell("error") };
}

function asJson(clock: Clock, level: Level, event: string, fields: Fields): string {
  return `${JSON.stringify({ at: new Date(clock.now()).toISOString(), level, event, ...fields })}\n`;
}

function asText(level: Level, event: string, fields: Fields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${quoted(String(value))}`);
  return `${level === "info" ? "" : `${level}: `}${event}${pairs.join("")}\n`;
}

/** A stranger chooses user names: none of their characters may end a value or a line, or reach a terminal raw. */
function quoted(value: string): string {
  if (/^[\w.:@/+-]+$/.test(value)) return value;
  return JSON.stringify(value).replace(
    /[^\x20-\x7e\p{L}\p{N}\p{P}\p{S}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
