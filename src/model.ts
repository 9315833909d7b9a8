/** What travels through the pipeline: a line becomes an entry, a login, a grant. Types only. */
import type { Client } from "./client.ts";

/** One complete log line, without its line feed, and where it stands. */
export interface Line {
  /** The name of its source, as shown to people: a log's path. */
  readonly source: string;
  /** Valid during the call that delivers it only: a view of a buffer that is used again. */
  readonly bytes: Buffer;
  /** What the source itself knows of it, as the journal does: the bytes are then the message alone. */
  readonly prefix?: Prefix;
  /** Bytes from the start of its file or stream to its first byte; undefined where there are none to count. */
  readonly offset: number | undefined;
  /** Counts from 1 where the reading of its file began. */
  readonly number: number;
  /** False while a source reads what was written before it started. */
  readonly live: boolean;
}

/** Where a line stands, as people look it up. */
export type Place = Pick<Line, "source" | "offset">;

/** What stands before a message, or beside it: when, where and by which program it was written. */
export interface Prefix {
  /** The time stamp as text, if there is one. */
  readonly stamp: string | undefined;
  readonly host: string | undefined;
  readonly program: string;
  readonly pid: number | undefined;
}

/** What the lines of a log begin with. */
export type Format = "syslog" | "rfc5424" | "dovecot" | "qpopper" | "zimbra" | "stalwart";

/** A line without its prefix. */
export interface Entry extends Prefix {
  readonly message: string;
}

/** The first line of a login that takes two, as long as the second, which tells of success, did not come. */
export interface OpenLine {
  /** What both lines have in common; one is open for each. */
  readonly key: string;
  readonly client: Client;
  /** Wall clock, ms since 1970: the time in the log. */
  readonly at: number;
}

/** By the name of the source. */
export type OpenLinesBySource = Readonly<Record<string, readonly OpenLine[]>>;

/** One successful login. */
export interface Login {
  /** Wall clock, ms since 1970: the time in the log, never later than the moment it was read. */
  readonly at: number;
  readonly adapter: string;
  /** `pop3` or `imap`. */
  readonly service: string;
  readonly user: string;
  readonly client: Client;
}

/** A client that may relay until its expiry. */
export interface Grant {
  readonly client: Client;
  readonly user: string;
  readonly service: string;
  readonly adapter: string;
  /** Wall clock, ms since 1970: the first login of an unbroken row. */
  readonly granted: number;
  /** Wall clock, ms since 1970: the latest login of that row. */
  readonly renewed: number;
  /** Wall clock, ms since 1970: the first moment at which the client may relay no more. */
  readonly expires: number;
  /** Where the line of that latest login stands, if it is known. */
  readonly source?: string | undefined;
  readonly offset?: number | undefined;
  /** Why an administrator granted it, if no login did; its user is then empty. */
  readonly why?: string | undefined;
}

/** A client, or a user in whatever case it is written. */
export type Whom = { readonly client: Client } | { readonly user: string };

/** Whose logins grant nothing if they are stamped before an instant. */
export type Revocation = Whom & {
  /** Wall clock, ms since 1970: a login stamped then is the first that grants again. */
  readonly until: number;
  readonly why: string;
};

/**
 * What became of all logins since popgate started. A login is counted once for its adapter, and once for what became of it, if
 * anything did. There are as many grants as were granted and restored less those that expired and were revoked.
 */
export interface LoginCounters {
  /** By adapter: all, whatever became of them. */
  readonly logins: Readonly<Record<string, number>>;
  /** Logins whose time was over when they were read, or that were forgotten. */
  readonly late: number;
  /** Clients that were granted, by a login or by order. */
  readonly granted: number;
  /** Grants of before popgate started whose time was not over. */
  readonly restored: number;
  /** Logins, and orders, that moved the end of a grant. */
  readonly renewed: number;
  readonly expired: number;
  /** Grants that ended before their time. */
  readonly revoked: number;
  /** Logins, by the reason why the guard refused them. */
  readonly refused: Readonly<Record<string, number>>;
}

/** How far one inode has been read, and how to know that file again. */
export interface Mark {
  readonly dev: number;
  readonly ino: number;
  /** When it was made, as the file system knows it: wall clock, ms. Tells it from a later one with the same inode number. */
  readonly born?: number | undefined;
  /** Bytes: the first one of the first line that was not yet delivered. */
  readonly offset: number;
  /** Base64 of up to 64 bytes that stand before the offset. */
  readonly anchor: string;
  /** Base64 of up to 256 bytes that stand at the start, none of them behind the offset. */
  readonly head: string;
  /** Base64 of up to 64 bytes that stand behind the offset: the beginning of a line that had not ended. */
  readonly unfinished?: string | undefined;
  /** The first line is the second half of one whose first half was truncated away. */
  readonly cut?: true | undefined;
}

/** How far a journal has been read: journald's own name of the last entry that was delivered. */
export interface Cursor {
  readonly cursor: string;
}

/** How far a log has been read: its generations, the oldest first and the live one last, or a place in a journal. */
export type Checkpoint = readonly Mark[] | Cursor;

/** By the name of the log. */
export type Checkpoints = Readonly<Record<string, Checkpoint>>;

/** How far a log has been read, and what that came to since popgate started. */
export interface Progress {
  /** The log's: a path, `journal`, `stdin`. */
  readonly name: string;
  /** Where the next line begins, as people and tools write it: bytes from the file's start, or a journal's cursor. */
  readonly position: string;
  /** Bytes that are there and not read yet; undefined where that cannot be known. */
  readonly lag_bytes?: number | undefined;
  /** For how many seconds the end has not been reached; 0 if all was read at the last look. */
  readonly lag_seconds: number;
  /** Lines that ended, whatever they said. */
  readonly lines: number;
  /** How often it went on with another file, or from the start of a truncated one. */
  readonly rotations: number;
  /** Lines that were not delivered, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** How often lines may have been lost. */
  readonly gaps: number;
  /** What is wrong with it now, in words. */
  readonly trouble?: string | undefined;
  /** Wall clock, ms since 1970: when the latest line was read; undefined if none was since popgate started. */
  readonly last_line?: number | undefined;
}

/**
 * Why a line was not delivered: longer than 64 KiB; without an end when its file was given up, or its first half gone; written
 * by somebody other than the config demands.
 */
export type DropReason = "too_long" | "unterminated" | "untrusted";
