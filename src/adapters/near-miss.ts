/** Lines of a known daemon that speak of a login although no pattern takes them: a new version may have changed its words. */
import { tagsOf } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";
import { partOf } from "./correlate.ts";
import { entryOf, longestEntry } from "./entry.ts";
import { breakOf } from "./fit.ts";
import type { Break } from "./fit.ts";
import type { Entry } from "../model.ts";
import { Sieve } from "./sieve.ts";

/** Words of success, and of everything else that may be said of a login. */
const success =
  /\b(?:log(?:ged|s)?[ -]?(?:in|on)|auth|authenticat(?:ed|ion)|accept(?:ed)?|succe(?:eded|ss(?:ful(?:ly)?)?)|session (?:opened|from|for))\b/i;
const others =
  /\b(?:fail(?:ed|ure|s)?|reject(?:ed)?|refus(?:ed|ing)|den(?:y|ied)|disallow(?:ed)?|invalid|illegal|bad|badlogin|abort(?:ed)?|disconnect(?:ed|ing)?|unknown|mismatch|excessive|exceeded|disabled|stored|error|warning|debug|log(?:ged|ging)?[ -]?(?:out|off)|time[ds]?[ -]?out|no auth|unable|can'?not|not |without|clos(?:ed|ing)|expired|starting|anonymous)\b/i;
const address =
  /(?:^|[^\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}:[\da-f:]*:[\da-f.]*)(?![\w:])/i;

/** Says whether a message names an address and speaks of a success, and of nothing else. */
export function speaksOfLogin(message: string): boolean {
  return success.test(message) && !speaksOfOther(message) && address.test(message);
}

/** Says whether a message speaks of a failure, or of an end or a beginning. */
export function speaksOfOther(message: string): boolean {
  return others.test(message);
}

/** The fields of a message, which differ from line to line: what stands in quotes or brackets or behind `=`, and numbers. */
const fields =
  /"[^"]*"|'[^']*'|`[^']*'|<[^<>]*>|\[[^[\]]*\]|(?<==)[^ ,;]+|(?:\d{1,3}\.){3}\d{1,3}|[\da-f]*:[\da-f:]*:[\da-f.]*|(?<![^ ,;:=()[\]<>])(?!(?:pop3|imap4)\b)[^ ,;:=()[\]<>]*[@\d][^ ,;:=()[\]<>]*/gi;

/** Characters: what is longer is told by its beginning. */
const longestShape = 160;

/** The message without its fields: lines that differ in these alone have the same shape. */
export function shapeOf(message: string): string {
  const shape = message.slice(0, 2 * longestShape).replace(fields, (field) => {
    const [open = "", close = ""] = [field[0], field.at(-1)];
    return /["'`<[]/.test(open) && field.length > 1 ? `${open}*${close}` : "*";
  });
  return shape.length > longestShape ? `${shape.slice(0, longestShape)}...` : shape;
}

/** The pattern that takes most of a message. */
export interface Closest extends Break {
  readonly adapter: string;
}

/** Gives the closest pattern of some adapters, and where it breaks; undefined if one of them takes the message. */
export function closestOf(adapters: readonly Adapter[], message: string): Closest | undefined {
  const tried = adapters.flatMap(({ name, logins, correlate }) =>
    [...logins, ...(correlate?.second ?? [])].map((pattern) => ({
      adapter: name,
      broke: breakOf(pattern, message),
    })),
  );
  let closest: Closest | undefined;
  for (const { adapter, broke } of tried) {
    if (broke === undefined) return undefined;
    if (closest === undefined || broke.at > closest.at) closest = { adapter, ...broke };
  }
  return closest;
}

/** The same for an entry that is no login, by the adapters of its program; undefined unless it is a near miss. */
export function closestFor(adapters: readonly Adapter[], entry: Entry): Closest | undefined {
  if (!speaksOfLogin(entry.message)) return undefined;
  const isPart = adapters.some(
    ({ name, correlate }) => correlate && partOf(name, correlate, entry) !== undefined,
  );
  return isPart ? undefined : closestOf(adapters, entry.message);
}

/** Lines of one shape. */
export interface NearMiss {
  readonly program: string;
  readonly shape: string;
  count: number;
  /** Where the first one stands. */
  readonly first: string;
  /** The message of the first one. */
  readonly message: string;
  readonly closest: Closest;
}

/** So many shapes are told apart: strangers can make new ones. */
const mostShapes = 1000;

/** The near misses of a log, by their shape. */
export class NearMisses {
  readonly #adapters = new Map<string, Adapter[]>();
  readonly #sieve: Sieve;
  readonly #shapes = new Map<string, NearMiss>();

  constructor(adapters: readonly Adapter[]) {
    for (const adapter of adapters) {
      for (const [tag] of tagsOf(adapter)) {
        this.#adapters.set(tag, [...(this.#adapters.get(tag) ?? []), adapter]);
      }
    }
    // An empty marker stands in every line: all lines of all programs.
    this.#sieve = new Sieve(adapters.map((adapter) => ({ ...adapter, markers: [""] })));
  }

  /** Those that were met, the most frequent shape first. */
  get all(): readonly NearMiss[] {
    return [...this.#shapes.values()].sort((a, b) => b.count - a.count);
  }

  /** Says whether the line that stands in `bytes` from `from` up to its line feed at `end` is one of a known daemon. */
  wants(bytes: Buffer, from: number, end: number): boolean {
    return this.#sieve.wants(bytes, from, end);
  }

  /** Takes a line that is no login, and its place as text. */
  look(bytes: Buffer, place: string): void {
    const entry = entryOf(bytes.toString("utf8", 0, Math.min(bytes.length, longestEntry)));
    const closest = entry && closestFor(this.#adapters.get(entry.program) ?? [], entry);
    if (entry === undefined || closest === undefined) return;
    const { program, message } = entry;
    const shape = shapeOf(message);
    const key = `${program} ${shape}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) known.count++;
    else if (this.#shapes.size < mostShapes) {
      const own = { program: copied(program), message: copied(message), shape: copied(shape) };
      this.#shapes.set(key, { ...own, count: 1, first: place, closest });
    }
  }
}

/** A substring keeps the whole line it was cut from alive. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
