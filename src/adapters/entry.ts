/** Strips what stands before a message, line by line: syslog's prefixes, and those of the daemons' own log files. */
import type { Entry, Format } from "../model.ts";

/** Bytes of a line that are looked at: no daemon writes a login this long. */
export const longestEntry = 8192;

/** One kind of prefix. */
interface Family {
  /** The value of a source's key `format`; several families may have the same. */
  readonly format: Format;
  /** Anchored at the start of the line. */
  readonly prefix: RegExp;
  readonly read: (prefix: RegExpExecArray, line: string) => Entry;
}

const month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const time = String.raw`\d\d:\d\d:\d\d`;
const dated = String.raw`\d{4}-\d\d-\d\d[T ]${time}(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`;
const stamp = String.raw`${month} [ 0-3]?\d ${time}|${dated}`;

// A host may be an IPv6 address. It never ends in a colon: where a syslog daemon writes no host, the tag stands in its
// place, and the first word of a stranger's text would stand in the tag's.
// Nor does it hold a bracket, as `imap(user` of Dovecot's own file does, but for rsyslog's `(none)`.
const host = String.raw`(?:\(none\)|[^ \[\]()<>]*[^ :\[\]()<>])`;
const tag = String.raw`[^ :\[\]]+`;

/** All of them; no line fits two. */
export const families: readonly Family[] = [
  {
    format: "syslog",
    // RFC 3164 and rsyslog's RFC 3339 form; `<22>` in front as on the wire, `<mail.info>` as FreeBSD's syslogd -v writes.
    prefix: new RegExp(
      String.raw`^(?:<\d{1,3}>)?(${stamp}) (?:<[a-z0-9]+\.[a-z]+> )?(${host}) (${tag})(?:\[(\d{1,10})\])?: `,
    ),
    read: ([prefix, at, name, program = "", pid], line) => ({
      stamp: at,
      host: name,
      program,
      pid: pid === undefined ? undefined : Number(pid),
      message: bare(line.slice(prefix.length)),
    }),
  },
  {
    format: "rfc5424",
    // RFC 5424 section 6. rsyslog keeps the blank that stands before a message; a byte order mark may follow.
    prefix: new RegExp(
      String.raw`^<\d{1,3}>1 (-|${dated}) ([^ ]+) ([^ ]+) ([^ ]+) [^ ]+ (?:-|(?:\[(?:[^"\]\\]|"(?:[^"\\]|\\.)*")*\])+) {1,2}\uFEFF?`,
    ),
    read: ([prefix, at, name, program = "", pid = ""], line) => ({
      stamp: at === "-" ? undefined : at,
      host: name === "-" ? undefined : name,
      program,
      pid: /^\d{1,10}$/.test(pid) ? Number(pid) : undefined,
      message: bare(line.slice(prefix.length)),
    }),
  },
  {
    format: "dovecot",
    // Dovecot's own log file since 2.0: `Nov 23 06:12:27 imap-login: Info: Login: ...`. The message keeps its level.
    prefix: new RegExp(
      String.raw`^(${stamp}) (?=[^ ]+: (?:Debug|Info|Warning|Error|Fatal|Panic): )`,
    ),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length)),
  },
  {
    format: "dovecot",
    // The same in 1.x: `dovecot: Nov 23 06:12:27 Info: imap-login: Login: ...`.
    prefix: new RegExp(String.raw`^dovecot: (${stamp}) Info: `),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length)),
  },
  {
    format: "qpopper",
    // qpopper's own log (its option -t): `Nov 23 06:12:27 [popper] (v4.0.9) POP login by user ...`.
    prefix: new RegExp(String.raw`^(${month} [ 0-3]?\d ${time}) \[((?:in\.)?q?popper)\] `),
    read: ([prefix, at, program = ""], line) => ownFile(at, line.slice(prefix.length), program),
  },
  {
    format: "zimbra",
    // audit.log: `2026-11-23 06:12:27,100 INFO  [ImapServer-1] [ip=192.0.2.7;] ...`. The message keeps its level.
    prefix: new RegExp(String.raw`^(\d{4}-\d\d-\d\d ${time},\d{3}) (?=[A-Z]{4,5} {1,2}\[)`),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length), "zimbra"),
  },
  {
    format: "stalwart",
    // `2026-11-23T06:12:27Z INFO Authentication successful (auth.success) listenerId = "imaptls", ...`. The message keeps its level.
    prefix: new RegExp(
      String.raw`^(\d{4}-\d\d-\d\dT${time}Z) (?=(?:ERROR|WARN|INFO|DEBUG|TRACE) [^()]*[^() ] \([a-z-]+\.[a-z-]+\))`,
    ),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length), "stalwart"),
  },
];

/** What `docker compose logs` puts before each line: the container's name, padded. */
const compose = /^[a-zA-Z0-9][\w.-]* +\| /;

/**
 * Takes one decoded line without its line feed, and the format that all lines of its source have, if one is pinned. Gives the
 * line's entry, or undefined if it has none of the known prefixes. `dovecot-1  | ` may stand before the prefix.
 * `message repeated N times: [ MSG]`, as rsyslog writes it behind a tag, counts as MSG.
 */
export function entryOf(line: string, format?: Format): Entry | undefined {
  const entry = plainEntryOf(line, format);
  if (entry !== undefined) return entry;
  const composed = compose.exec(line);
  return composed === null ? undefined : plainEntryOf(line.slice(composed[0].length), format);
}

/** The format of the prefix that `entryOf` strips from a line; undefined if it has none of the known ones. */
export function formatOf(line: string): Format | undefined {
  const composed = compose.exec(line)?.[0] ?? "";
  const forms = [line, line.slice(composed.length)];
  return families.find(({ prefix }) => forms.some((form) => prefix.test(form)))?.format;
}

function plainEntryOf(line: string, format: Format | undefined): Entry | undefined {
  for (const family of families) {
    if (format !== undefined && family.format !== format) continue;
    const found = family.prefix.exec(line);
    if (found !== null) return family.read(found, line);
  }
  return undefined;
}

function ownFile(at: string | undefined, message: string, program = "dovecot"): Entry {
  return { stamp: at, host: undefined, program, pid: undefined, message };
}

/** What Solaris' syslogd puts before a message (syslogd(8), its message ids). */
const solaris = /^\[ID \d{1,10} [a-z0-9]+\.[a-z]+\] /;

function bare(message: string): string {
  if (message.startsWith("[ID ")) return message.replace(solaris, "");
  if (!message.startsWith("message repeated ") || !message.endsWith("]")) return message;
  const opening = /^message repeated \d{1,10} times: \[ ?/.exec(message);
  return opening === null ? message : message.slice(opening[0].length, -1);
}
