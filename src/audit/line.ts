/** One line of the audit: JSON, bounded, and harmless wherever it is shown; and back. Pure. */
import type { AuditEvent } from "../audit-event.ts";
import { canonicalClient, type Client } from "../client.ts";

/** What a line may tell of: an event, or that events were lost. */
export type RecordedEvent = AuditEvent["event"] | "lost";

/** An event as the file has it. Where it tells of several, `login` is the latest of them. */
export interface Recorded extends Omit<AuditEvent, "event"> {
  readonly event: RecordedEvent;
  /** Wall clock, ms since 1970: when popgate did it. */
  readonly time: number;
  /** How many logins a line tells of, if not of one. */
  readonly logins?: number | undefined;
  /** How many events are missing before this line. */
  readonly events?: number | undefined;
}

/** Characters that a text may have: users, sources and reasons come from elsewhere. */
export const longestText = 256;

const cut = "…";

/** Gives the line with its line feed, well below the 64 KiB that readers take. */
export function lineOf(recorded: Recorded): string {
  const { time, event, client, user, service, adapter, source, offset, reason, why } = recorded;
  const { login, logins, expires, events } = recorded;
  const text = JSON.stringify({
    time: iso(time),
    event,
    client,
    user: bounded(user),
    service,
    adapter,
    source: bounded(source),
    offset,
    login: iso(login),
    logins,
    expires: iso(expires),
    reason,
    why: bounded(why),
    events,
  });
  // JSON escapes what is below 0x20; what else moves a cursor or turns a line around must not reach a terminal either.
  return `${text.replace(/[^\x20-\x7e\p{L}\p{M}\p{N}\p{P}\p{S}]/gu, escaped)}\n`;
}

/** Reads a line back; undefined if it is none of the audit's: torn, or foreign. */
export function recordedOf(line: string): Recorded | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const { time, event, client, login, logins, expires } = fields;
  const at = instantOf(time);
  const address = clientOf(client);
  if (at === undefined || typeof event !== "string" || address === "none") return undefined;
  return {
    time: at,
    // A later version may tell of more.
    event: event as RecordedEvent,
    client: address,
    user: textOf(fields["user"]),
    service: textOf(fields["service"]),
    adapter: textOf(fields["adapter"]),
    source: textOf(fields["source"]),
    offset: countOf(fields["offset"]),
    login: instantOf(login),
    logins: countOf(logins),
    expires: instantOf(expires),
    reason: textOf(fields["reason"]),
    why: textOf(fields["why"]),
    events: countOf(fields["events"]),
  };
}

function bounded(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= longestText) return text;
  return `${text.slice(0, longestText - cut.length)}${cut}`;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, unit) => String.raw`\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
  ).join("");
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/** Only in the one form in which it is written. */
function instantOf(value: unknown): number | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) {
    return undefined;
  }
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

function clientOf(value: unknown): Client | "none" | undefined {
  if (value === undefined) return undefined;
  const client = typeof value === "string" ? canonicalClient(value) : undefined;
  return client !== undefined && client === value ? client : "none";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, longestText) : undefined;
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
