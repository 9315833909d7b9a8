/** What travels through the pipeline: a line becomes an entry, a login, a grant. Types only. */
import type { Client } from "./client.ts";

/** One complete log line, without its line feed, and where it stands. */
export interface Line {
  /** The name of its source, as shown to people: a log's path. */
  readonly source: string;
  /** Valid during the call that delivers it only: a view of a buffer that is used again. */
  readonly bytes: Buffer;
  /** Bytes from the start of its file to its first byte. */
  readonly offset: number;
  /** Counts from 1 where the reading of its file began. */
  readonly number: number;
  /** False while a source reads what was written before it started. */
  readonly live: boolean;
}

/** A line without its prefix. */
export interface Entry {
  /** The time stamp as text, if the prefix has one. */
  readonly stamp: string | undefined;
  readonly host: string | undefined;
  readonly program: string;
  readonly pid: number | undefined;
  readonly message: string;
}

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
}

/** How far one inode has been read, and how to know that file again. */
export interface Mark {
  readonly dev: number;
  readonly ino: number;
  /** Bytes: the first one of the first line that was not yet delivered. */
  readonly offset: number;
  /** Base64 of up to 64 bytes that stand before the offset. */
  readonly anchor: string;
  /** Base64 of up to 256 bytes that stand at the start, none of them behind the offset. */
  readonly head: string;
}

/** How far a source has been read: the oldest generation first, the live one last. */
export type Checkpoint = readonly Mark[];
