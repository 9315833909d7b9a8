/** Logins that take two lines: the first tells the client, the second that it logged in. Pure, but for the table of those that wait. */
import type { Client } from "../client.ts";
import type { Entry, OpenLine } from "../model.ts";

/** What the two lines of a login look like, and what joins them. Each pattern takes a whole message. */
export interface Correlation {
  /** What both have in common, besides host and program: the process id, or the group `session` of every pattern. */
  readonly by: "pid" | "session";
  /** Tells the client: the group `client`. */
  readonly first: readonly RegExp[];
  /** Tells of success: the group `user`. */
  readonly second: readonly RegExp[];
  /** After these the first line counts no more: the daemon is done with that client. */
  readonly ends: readonly RegExp[];
}

/** What one entry says of a login that takes two lines. */
export interface Part {
  readonly kind: "first" | "second" | "end";
  /** Of the login that it is a part of: no two that are open at a time have the same. */
  readonly key: string;
  readonly fields: Readonly<Record<string, string | undefined>>;
}

/** Milliseconds between the two lines, by their stamps, and by the moments at which they were read. */
const longestWait = 60_000;

/** So many first lines of one source may wait for their second. */
const most = 10_000;

/** Characters: no host, program and session are as long together. */
const longestKey = 400;

/**
 * Says what an entry is to the adapter of this name: a part of a two-line login, or undefined for everything else; also where
 * it does not tell its process id, and nothing joins it to another line.
 */
export function partOf(name: string, correlation: Correlation, entry: Entry): Part | undefined {
  const { by, first, second, ends } = correlation;
  const kinds = [
    ["first", first],
    ["second", second],
    ["end", ends],
  ] as const;
  for (const [kind, patterns] of kinds) {
    for (const pattern of patterns) {
      const found = pattern.exec(entry.message);
      if (found === null) continue;
      const fields = found.groups ?? {};
      const id = by === "pid" ? entry.pid : fields["session"];
      if (id === undefined) return undefined;
      const key = [name, entry.host ?? "", entry.program, String(id)].join(" ");
      return key.length > longestKey ? undefined : { kind, key, fields };
    }
  }
  return undefined;
}

/** A first line, and when it was read: ms since 1970. */
interface Waiting extends OpenLine {
  readonly read: number;
}

/** The first lines of one source whose second did not come yet, the oldest first. */
export class OpenLines {
  readonly #waiting = new Map<string, Waiting>();

  /**
   * Takes the next part in the order of the log, stamped `at` (undefined if its stamp may not count) and read `now`, both in ms
   * since 1970, with the client that a first line tells, if it is one. Gives the client of a second line's first, which is then
   * used up. A first line replaces the older one of its key, whatever it says: that one's client is gone.
   */
  step(
    { kind, key }: Part,
    client: Client | undefined,
    at: number | undefined,
    now: number,
  ): Client | undefined {
    const former = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (kind === "first" && client !== undefined && at !== undefined) {
      this.#keep({ key: copied(key), client, at, read: now });
    }
    if (kind !== "second" || former === undefined || at === undefined) return undefined;
    return isNear(at - former.at) && isNear(now - former.read) ? former.client : undefined;
  }

  /** Those that wait at that moment, to be saved. */
  all(now: number): OpenLine[] {
    return [...this.#waiting.values()]
      .filter(({ read }) => isNear(now - read))
      .map(({ key, client, at }) => ({ key, client, at }));
  }

  /** Takes what `all` gave, as if it were read now: while nothing was read, no second line could come. */
  restore(lines: readonly OpenLine[], now: number): void {
    for (const line of lines) this.#keep({ ...line, read: now });
  }

  #keep(line: Waiting): void {
    // Whoever makes many connections pushes out those that wait; a newcomer is worth more than they.
    for (const [oldest, { read }] of this.#waiting) {
      if (this.#waiting.size < most && isNear(line.read - read)) break;
      this.#waiting.delete(oldest);
    }
    this.#waiting.set(line.key, line);
  }
}

function isNear(ms: number): boolean {
  return ms >= 0 && ms <= longestWait;
}

/** A substring keeps the whole line it was cut from alive. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
