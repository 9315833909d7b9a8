/** The stage's one entrance: a line's bytes to a login, a refusal, or nothing. */
import { canonicalClient } from "../client.ts";
import type { Client } from "../client.ts";
import type { Entry, Format, Line, Login, OpenLine, Prefix } from "../model.ts";
import { tagsOf } from "./adapter.ts";
import type { Adapter, Service } from "./adapter.ts";
import { OpenLines, partOf } from "./correlate.ts";
import { entryOf, longestEntry } from "./entry.ts";
import type { Reason, Refusal } from "./refusal.ts";
import { Sieve } from "./sieve.ts";
import { StampReader } from "./time.ts";

/** Clients that are remembered. */
const remembered = 32_768;

/** Control characters, and the line and paragraph separators. No daemon writes one into a login. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Canonical addresses that no client can have: 0/8, 224/3, ff00::/8, and ::/96 but for ::1. The private ones and the
 * host's own are the guard's.
 */
const unusable =
  /^(?:0\.|22[4-9]\.|2[345]\d\.|ff[\da-f]{2}:|::$|::(?!1$)[\da-f]{1,4}(?::[\da-f]{1,4})?$)/;

/** What stands in a pattern's group `service`, and which service that is: names and ports. */
const services: ReadonlyMap<string, Service> = new Map([
  ...["imap", "imap4", "143", "993"].map((word) => [word, "imap"] as const),
  ...["pop3", "110", "995"].map((word) => [word, "pop3"] as const),
]);

/** What a message says, before its time is looked at. */
interface Reading {
  readonly service: Service;
  readonly user: string;
  readonly client: Client;
}

/** The named groups of a match. */
type Fields = Readonly<Record<string, string | undefined>>;

/** An adapter as one of its programs sees it. */
interface Route {
  readonly adapter: Adapter;
  readonly service: Service | undefined;
}

export { reasonTexts } from "./refusal.ts";
export type { Refusal } from "./refusal.ts";

/** Whether a match is a login; a refusal and undefined are not. */
export function isLogin(match: Login | Refusal | undefined): match is Login {
  return match !== undefined && "client" in match;
}

/** Matches the lines of one source. */
export class Matcher {
  /** Every line that matters is of one of these. */
  readonly programs: readonly string[];
  readonly #routes = new Map<string, Route[]>();
  readonly #sieve: Sieve;
  readonly #stamps: StampReader;
  readonly #format: Format | undefined;
  readonly #open = new OpenLines();
  readonly #clients = new Map<string, Client>();

  /**
   * Takes the adapters that count, the IANA zone in which stamps without an offset are written, and the format that all lines
   * have if it is not to be recognised line by line.
   * @throws RangeError if there is no such zone
   */
  constructor(
    adapters: readonly Adapter[],
    options: { readonly zone: string; readonly format?: Format | undefined },
  ) {
    this.#stamps = new StampReader(options.zone);
    this.#format = options.format;
    this.#sieve = new Sieve(adapters);
    this.programs = [...new Set(adapters.flatMap(tagsOf).map(([tag]) => tag))];
    for (const adapter of adapters) {
      for (const [tag, service] of tagsOf(adapter)) {
        const routes = this.#routes.get(tag);
        if (routes === undefined) this.#routes.set(tag, [{ adapter, service }]);
        else routes.push({ adapter, service });
      }
    }
  }

  /**
   * Says whether the line that stands in `bytes` from `from` up to its line feed at `end` may matter: ask this of every line,
   * before anything else, and `match` of those alone that it lets through.
   */
  wants(bytes: Buffer, from: number, end: number): boolean {
    return this.#sieve.wants(bytes, from, end);
  }

  /**
   * Takes one line, without its line feed, and the present in ms since 1970. Gives its login, the reason why a line that
   * speaks of a login does not count, or undefined for every other line. Keeps nothing of the line's bytes.
   */
  match(line: Pick<Line, "bytes" | "live" | "prefix">, now: number): Login | Refusal | undefined {
    const isLong = line.bytes.length > longestEntry;
    const text = textOf(line.bytes);
    const entry = this.#entryOf(text, line.prefix);
    const routes = entry && this.#routes.get(entry.program);
    if (entry === undefined || routes === undefined) return undefined;

    let claim: Route | undefined;
    let claims = 0;
    let first: Client | undefined;
    for (const route of routes) {
      const client = this.#correlated(route.adapter, entry, line.live, now);
      if (!claimsLogin(route.adapter, entry.message)) continue;
      if (++claims > 1) continue;
      claim = route;
      first = client;
    }
    if (claim === undefined) return undefined;
    const adapter = claim.adapter.name;
    if (isLong) return { refused: "long", adapter };
    if (control.test(text)) return { refused: "control", adapter };
    if (claims > 1) return { refused: "ambiguous", adapter };

    const reading = this.#read(claim, entry.message, first);
    if (typeof reading === "string") return { refused: reading, adapter };
    const at = this.#stamps.at(entry.stamp, now, line.live);
    if (typeof at === "string") return { refused: at, adapter };
    const { service, user, client } = reading;
    return { at, adapter, service, user, client };
  }

  /** Lets so many further lines of each program pass `wants`, to be looked at although they cannot be logins. */
  letStray(lines: number): void {
    this.#sieve.letStray(lines);
  }

  /** What stands behind a line's prefix, up to 8 KiB; undefined if it has none of the known ones. */
  entryOf({ bytes, prefix }: Pick<Line, "bytes" | "prefix">): Entry | undefined {
    return this.#entryOf(textOf(bytes), prefix);
  }

  /** The moment that any line with a known prefix tells, in ms since 1970, whatever it says; it may lie ahead of `now`. */
  timeOf(bytes: Buffer, now: number): number | undefined {
    const text = bytes.toString("latin1", 0, Math.min(bytes.length, longestEntry));
    const stamp = entryOf(text, this.#format)?.stamp;
    return stamp === undefined ? undefined : this.#stamps.instant(stamp, now);
  }

  /** The first lines of logins whose second did not come yet. They belong to the lines read so far: save them together. */
  openLines(now: number): OpenLine[] {
    return this.#open.all(now);
  }

  /** Takes what `openLines` gave when reading stopped where it is to go on now. */
  restore(lines: readonly OpenLine[], now: number): void {
    this.#open.restore(lines, now);
  }

  #entryOf(text: string, prefix: Prefix | undefined): Entry | undefined {
    return prefix === undefined ? entryOf(text, this.#format) : { ...prefix, message: text };
  }

  /** Hears what an entry says of the adapter's logins that take two lines; gives the client that its first line told. */
  #correlated(
    { name, correlate }: Adapter,
    entry: Entry,
    live: boolean,
    now: number,
  ): Client | undefined {
    const part = correlate && partOf(name, correlate, entry);
    if (part === undefined) return undefined;
    const at = this.#stamps.at(entry.stamp, now, live);
    const told = part.kind === "first" ? this.#clientOf(part.fields["client"] ?? "") : undefined;
    return this.#open.step(part, told, typeof at === "number" ? at : undefined, now);
  }

  /** `first` is the client that the line before told, if the login takes two. */
  #read(route: Route, message: string, first: Client | undefined): Reading | Reason {
    const { logins, correlate, doubt } = route.adapter;
    const doubtful = doubt?.(message);
    if (doubtful !== undefined) return doubtful;
    const whole = takenBy(logins, message);
    const second = takenBy(correlate?.second ?? [], message);
    const fields = whole[0] ?? second[0];
    if (fields === undefined) return "malformed";
    if (whole.length + second.length > 1) return "ambiguous";

    const word = fields["service"];
    const service = word === undefined ? route.service : serviceOf(word);
    if (service === undefined) return "malformed";
    const user = fields["user"] ?? "";
    if (user.trim() === "") return "user";
    if (user.length === 9 && user.toLowerCase() === "anonymous") return "anonymous";
    if (whole.length === 0 && first === undefined) return "unpaired";
    const client = whole.length === 0 ? first : this.#clientOf(fields["client"] ?? "");
    if (client === undefined) return "address";
    return { service, user: copied(user), client };
  }

  /** The same clients come again and again: each is read once, as long as not too many others come between. */
  #clientOf(text: string): Client | undefined {
    const known = this.#clients.get(text);
    if (known !== undefined) return known;
    const client = canonicalClient(text);
    if (client === undefined || unusable.test(client)) return undefined;
    if (this.#clients.size >= remembered) this.#clients.clear();
    this.#clients.set(client === text ? client : copied(text), client);
    return client;
  }
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8", 0, Math.min(bytes.length, longestEntry));
}

function claimsLogin({ markers, opening, logins, correlate }: Adapter, message: string): boolean {
  if (!markers.some((marker) => message.includes(marker))) return false;
  if (opening !== undefined) return opening.test(message);
  const fits = (pattern: RegExp) => pattern.test(message);
  return logins.some(fits) || (correlate?.second.some(fits) ?? false);
}

function serviceOf(word: string): Service | undefined {
  return services.get(word) ?? services.get(word.toLowerCase());
}

function takenBy(patterns: readonly RegExp[], message: string): Fields[] {
  const taken: Fields[] = [];
  for (const pattern of patterns) {
    const match = pattern.exec(message);
    if (match !== null) taken.push(match.groups ?? {});
  }
  return taken;
}

/** A substring keeps the whole line it was cut from alive; a grant outlives its line. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
