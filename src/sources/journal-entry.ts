/** One entry as journalctl writes it: a JSON object a line. Pure. */
import type { Prefix } from "../model.ts";
import { trustedFields } from "./settings.ts";
import type { TrustedField } from "./settings.ts";

/** What journald itself says of a writer. */
export type Trusted = Readonly<Partial<Record<TrustedField, string>>>;

export interface JournalEntry {
  /** The place of the entry in the journal. */
  readonly cursor: string;
  readonly prefix: Prefix;
  /** Undefined where it is longer than journalctl shows, or there are several. */
  readonly message: Buffer | undefined;
  readonly trusted: Trusted;
  /** The unit of which journald suppressed messages, if that is what the entry says, and how many. */
  readonly suppressed: { readonly unit: string; readonly messages: string } | undefined;
}

/** The fields that are looked at; the cursor and journald's own time come without being asked for. systemd.journal-fields(7). */
export const fieldNames = [
  "MESSAGE",
  "MESSAGE_ID",
  "N_DROPPED",
  "OBJECT_SYSTEMD_UNIT",
  "SYSLOG_IDENTIFIER",
  "SYSLOG_PID",
  "_HOSTNAME",
  "_PID",
  "_SOURCE_REALTIME_TIMESTAMP",
  ...trustedFields,
] as const;

/**
 * Says whether two cursors are those of one entry. When journald moves it from /run to /var, the file's id and its count there
 * (`s` and `i`) change; boot, times and hash stay. systemd: sd-journal.c, sd_journal_get_cursor.
 */
export function isSameEntry(one: string, other: string): boolean {
  return withoutFile(one) === withoutFile(other);
}

function withoutFile(cursor: string): string {
  return cursor.replace(/^s=[^;]*;i=[^;]*;/, "");
}

type Fields = Readonly<Record<string, unknown>>;

/** systemd: sd-messages.h, SD_MESSAGE_JOURNAL_DROPPED. */
const droppedId = "a596d6fe7bfa4994828e72309e95d61e";

/** Reads one line of `journalctl --output=json`; undefined if it is none. */
export function journalEntryOf(line: string): JournalEntry | undefined {
  const fields = fieldsOf(line);
  if (fields === undefined) return undefined;
  const cursor = textOf(fields, "__CURSOR");
  const stamp = stampOf(fields);
  if (cursor === undefined || stamp === undefined) return undefined;
  const pid = Number(textOf(fields, "SYSLOG_PID") ?? textOf(fields, "_PID"));
  return {
    cursor,
    prefix: {
      stamp,
      host: textOf(fields, "_HOSTNAME"),
      program: textOf(fields, "SYSLOG_IDENTIFIER") ?? "",
      pid: Number.isSafeInteger(pid) ? pid : undefined,
    },
    message: bytesOf(fields["MESSAGE"]),
    trusted: Object.fromEntries(
      trustedFields.flatMap((name) => {
        const value = textOf(fields, name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    suppressed: suppressedBy(fields),
  };
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** A writer may give a field several times: journalctl then shows a list, and none of the values counts. */
function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

/** What is not printable or not UTF-8 is shown as the list of its bytes. */
function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (!Array.isArray(value)) return undefined;
  const isByte = (one: unknown) => Number.isInteger(one) && Number(one) >= 0 && Number(one) < 256;
  return value.every(isByte) ? Buffer.from(value as readonly number[]) : undefined;
}

/** The earlier of the moments at which it was sent and received: both in us since 1970, neither the writer's to choose. */
function stampOf(fields: Fields): string | undefined {
  const received = Number(textOf(fields, "__REALTIME_TIMESTAMP"));
  const sent = Number(textOf(fields, "_SOURCE_REALTIME_TIMESTAMP") ?? received);
  const ms = Math.floor(Math.min(received, sent) / 1000);
  // What Date can hold, and a year of four digits.
  return ms >= 0 && ms < 253_402_300_800_000 ? new Date(ms).toISOString() : undefined;
}

/** systemd: journald-server.c. Only journald itself writes with that transport. */
function suppressedBy(fields: Fields): JournalEntry["suppressed"] {
  if (textOf(fields, "_TRANSPORT") !== "driver" || textOf(fields, "MESSAGE_ID") !== droppedId)
    return undefined;
  return {
    unit: textOf(fields, "OBJECT_SYSTEMD_UNIT") ?? "some unit",
    messages: textOf(fields, "N_DROPPED") ?? "some",
  };
}
