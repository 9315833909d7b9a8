/** Strips what stands before a message: syslog's prefixes and those of Dovecot's own log file, line by line. */
import type { Entry } from "../model.ts";

/** One kind of prefix. */
interface Family {
  readonly name: string;
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
    name: "syslog",
    // RFC 3164 and rsyslog's RFC 3339 form; `<22>` in front as on the wire, `<mail.info>` as FreeBSD's syslogd -v writes.
    prefix: new RegExp(
      String.raw`^(?:<\d{1,3}>)?(${stamp}) (?:<[a-z0-9]+\.[a-z]+> )?(${host}) (${tag})(?:\[(\d{1,10})\])?: `,
    ),
    read: ([prefix, at, name, program = "", pid], line) => ({
      stamp: at,
      host: name,
      program,
      pid: pid === undefined ? undefined : Number(pid),
      message: unrepeated(line.slice(prefix.length)),
    }),
  },
  {
    name: "rfc5424",
    // RFC 5424 section 6. rsyslog keeps the blank that stands before a message; a byte order mark may follow.
    prefix: new RegExp(
      String.raw`^<\d{1,3}>1 (-|${dated}) ([^ ]+) ([^ ]+) ([^ ]+) [^ ]+ (?:-|(?:\[(?:[^"\]\\]|"(?:[^"\\]|\\.)*")*\])+) {1,2}\uFEFF?`,
    ),
    read: ([prefix, at, name, program = "", pid = ""], line) => ({
      stamp: at === "-" ? undefined : at,
      host: name === "-" ? undefined : name,
      program,
      pid: /^\d{1,10}$/.test(pid) ? Number(pid) : undefined,
      message: unrepeated(line.slice(prefix.length)),
    }),
  },
  {
    name: "dovecot",
    // Dovecot's own log file since 2.0: `Nov 23 06:12:27 imap-login: Info: Login: ...`. The message keeps its level.
    prefix: new RegExp(
      String.raw`^(${stamp}) (?=[^ ]+: (?:Debug|Info|Warning|Error|Fatal|Panic): )`,
    ),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length)),
  },
  {
    name: "dovecot-1",
    // The same in 1.x: `dovecot: Nov 23 06:12:27 Info: imap-login: Login: ...`.
    prefix: new RegExp(String.raw`^dovecot: (${stamp}) Info: `),
    read: ([prefix, at], line) => ownFile(at, line.slice(prefix.length)),
  },
];

/** What `docker compose logs` puts before each line: the container's name, padded. */
const compose = /^[a-zA-Z0-9][\w.-]* +\| /;

/**
 * Takes one decoded line without its line feed and gives its entry, or undefined if it has none of the known prefixes.
 * `dovecot-1  | ` may stand before the prefix. `message repeated N times: [ MSG]`, as rsyslog writes it behind a tag, counts as MSG.
 */
export function entryOf(line: string): Entry | undefined {
  const entry = plainEntryOf(line);
  if (entry !== undefined) return entry;
  const composed = compose.exec(line);
  return composed === null ? undefined : plainEntryOf(line.slice(composed[0].length));
}

function plainEntryOf(line: string): Entry | undefined {
  for (const { prefix, read } of families) {
    const found = prefix.exec(line);
    if (found !== null) return read(found, line);
  }
  return undefined;
}

function ownFile(at: string | undefined, message: string): Entry {
  return { stamp: at, host: undefined, program: "dovecot", pid: undefined, message };
}

function unrepeated(message: string): string {
  if (!message.startsWith("message repeated ") || !message.endsWith("]")) return message;
  const opening = /^message repeated \d{1,10} times: \[ ?/.exec(message);
  return opening === null ? message : message.slice(opening[0].length, -1);
}
