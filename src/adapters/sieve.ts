/** Tells on a line's bytes, before anything is made of them, whether an adapter may have something to say about it. */
import { tagsOf, type Adapter } from "./adapter.ts";

const blank = 0x20;
const digit0 = 0x30;
const digit9 = 0x39;
const colon = 0x3a;
const less = 0x3c;
const greater = 0x3e;
const capitalA = 0x41;
const capitalZ = 0x5a;
const opening = 0x5b;
const closing = 0x5d;
const bar = 0x7c;

/** Bytes of ASCII: no program's name has others. */
const width = 128;

/**
 * Finds the program's name where the families of entry.ts have it, and looks behind it for the markers of the adapters that it
 * belongs to. Errs towards yes, and never towards no. Its cost does not grow with the number of adapters.
 */
export class Sieve {
  /** The names as a tree: at `node * width + byte` stands the next node, or 0. The root is 0. */
  readonly #next: Uint16Array;
  /** By node: the markers of the program whose name ends there, in Latin-1. */
  readonly #markers: (string[] | undefined)[] = [undefined];
  /** By node: so many lines of that program are let through although they hold none of its markers. */
  readonly #strays: Uint16Array;
  /** The nodes of programs that have a log of their own, whose lines do not name them; 0 if it does not count. */
  readonly #dovecot: number;
  readonly #zimbra: number;
  readonly #stalwart: number;

  constructor(adapters: readonly Adapter[]) {
    const letters = adapters.flatMap(tagsOf).reduce((sum, [name]) => sum + name.length, 0);
    this.#next = new Uint16Array((letters + 1) * width);
    this.#strays = new Uint16Array(letters + 1);
    for (const adapter of adapters) {
      const markers = adapter.markers.map((marker) => Buffer.from(marker).toString("latin1"));
      for (const [name] of tagsOf(adapter)) this.#markersAt(name).push(...markers);
    }
    const own = (name: string) => this.#nodeOf(Buffer.from(`${name}:`), 0, name.length + 1);
    this.#dovecot = own("dovecot");
    this.#zimbra = own("zimbra");
    this.#stalwart = own("stalwart");
  }

  /** Says whether the line that stands in `bytes` from `from` up to its line feed at `end` may matter. */
  wants(bytes: Buffer, from: number, end: number): boolean {
    // `Nov 23 06:12:27 `, `Nov  3 06:12:27 `: most logs begin so.
    const day = bytes[from + 5] ?? 0;
    const isPlain = day >= digit0 && day <= digit9 && bytes[from + 3] === blank;
    if (isPlain && bytes[from + 6] === blank && bytes[from + 15] === blank) {
      if (bytes[from + 4] !== bar) return this.#behindStamp(bytes, from + 16, end);
    }
    return this.#wantsOther(bytes, from, end);
  }

  /** Lets so many lines of each program through, from now on, although no adapter has anything to say about them. */
  letStray(lines: number): void {
    this.#strays.fill(lines);
  }

  #wantsOther(bytes: Buffer, from: number, end: number): boolean {
    let at = from;
    let word = endOf(blank, bytes, at, end);
    // `name  | ` of docker compose.
    let next = word;
    while (next < end && bytes[next] === blank) next++;
    if (next < end && bytes[next] === bar) {
      at = next + 2;
      word = endOf(blank, bytes, at, end);
    }
    if (bytes[at] === less) {
      at = endOf(greater, bytes, at, word) + 1;
      // `<22>1 2026-...` is RFC 5424.
      if (word - at === 1) return this.#inFields(bytes, word + 1, end);
    }
    if (at >= word || word >= end) return false;
    const first = bytes[at] ?? 0;
    if (first >= digit0 && first <= digit9) {
      // `2026-11-23T06:12:27Z`, or with a blank for the T.
      if (word - at === 10) word = endOf(blank, bytes, word + 1, end);
      return this.#behindStamp(bytes, word + 1, end);
    }
    if (word - at === 3) {
      // Also `Nov 3 06:12:27`.
      return this.#behindStamp(bytes, at + (bytes[at + 5] === blank ? 15 : 16), end);
    }
    // `dovecot: Nov 23 06:12:27 Info: `
    return bytes[word - 1] === colon && this.#holds(this.#dovecot, bytes, word, end);
  }

  /** `from` is where the host stands, or the message of a log that belongs to one daemon. */
  #behindStamp(bytes: Buffer, from: number, end: number): boolean {
    let host = from;
    // `<mail.info>` of FreeBSD.
    if (bytes[host] === less) host = endOf(blank, bytes, host, end) + 1;
    let word = host;
    while (word < end && bytes[word] !== blank) word++;
    if (word >= end) return false;
    if (bytes[word - 1] === colon) return this.#holds(this.#dovecot, bytes, host, end);
    if (bytes[host] === opening) return this.#names(bytes, host + 1, end);
    // `INFO  [ImapServer-1] `, `INFO Authentication ...`; a host may be called so, too.
    if (isLevel(bytes, host, word)) {
      if (this.#holds(this.#zimbra, bytes, word, end)) return true;
      if (this.#holds(this.#stalwart, bytes, word, end)) return true;
    }
    return this.#names(bytes, word + 1, end);
  }

  /** RFC 5424: time, host, program. */
  #inFields(bytes: Buffer, from: number, end: number): boolean {
    const host = endOf(blank, bytes, from, end) + 1;
    return this.#names(bytes, endOf(blank, bytes, host, end) + 1, end);
  }

  /** Says whether a program's name stands there, and one of its markers behind it. */
  #names(bytes: Buffer, from: number, end: number): boolean {
    const node = this.#nodeOf(bytes, from, end);
    return node !== 0 && this.#holds(node, bytes, from, end);
  }

  #nodeOf(bytes: Buffer, from: number, end: number): number {
    const next = this.#next;
    let node = 0;
    for (let at = from; at < end; at++) {
      const byte = bytes[at] ?? width;
      if (byte === colon || byte === opening || byte === blank || byte === closing) return node;
      if (byte >= width) return 0;
      node = next[node * width + byte] ?? 0;
      if (node === 0) return 0;
    }
    return 0;
  }

  #holds(node: number, bytes: Buffer, from: number, end: number): boolean {
    const markers = this.#markers[node];
    if (markers === undefined) return false;
    const text = bytes.toString("latin1", from, end);
    for (const marker of markers) if (text.includes(marker)) return true;
    const strays = this.#strays[node] ?? 0;
    if (strays === 0) return false;
    this.#strays[node] = strays - 1;
    return true;
  }

  #markersAt(name: string): string[] {
    let node = 0;
    for (const byte of Buffer.from(name)) {
      const at = node * width + byte;
      node = this.#next[at] ?? 0;
      if (node === 0) node = this.#next[at] = this.#markers.push(undefined) - 1;
    }
    return (this.#markers[node] ??= []);
  }
}

/** Four or five capitals. */
function isLevel(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < 4 || to - from > 5) return false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < capitalA || byte > capitalZ) return false;
  }
  return true;
}

/** Where the byte stands first; `end` if it does not. */
function endOf(byte: number, bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}
