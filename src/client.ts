/** Text to one canonical client address, and networks of such addresses. */
import { createRequire } from "node:module";
import { isIPv4, isIPv6 } from "node:net";
import type ipaddrModule from "ipaddr.js";

// An import would look through its source for names to export, which costs 7 MB and 40 ms at every start.
const ipaddr = createRequire(import.meta.url)("ipaddr.js") as typeof ipaddrModule;

declare const canonical: unique symbol;

/** A remote address in its one spelling: dotted IPv4, or IPv6 as RFC 5952 has it. Only `canonicalClient` makes one. */
export type Client = string & { readonly [canonical]: true };

/** A set of networks. */
export interface Networks {
  /** Whether the client lies in one of them; only those count whose prefix has at most so many bits. */
  has(client: Client, longest?: number): boolean;
  /** Those that are a part of a /64, by the name of that /64; a network of one address is that client. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

/** The longest text of an IPv6 address: eight groups of four and seven colons, or the mapped form. */
const longest = 45;

/**
 * Takes an address as a daemon prints it and gives its one canonical spelling: IPv4 mapped into IPv6 becomes IPv4,
 * IPv6 is written as RFC 5952 section 4 demands. Gives undefined for all else: names, zones (`%eth0`), brackets,
 * ports, prefixes, leading zeros, short, octal and hexadecimal IPv4.
 */
export function canonicalClient(text: string): Client | undefined {
  if (text.length > longest) return undefined;
  if (isIPv4(text)) return copied(text);
  const mapped = /^::ffff:([\d.]+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return isIPv4(mapped) ? copied(mapped) : undefined;
  // The deprecated form `::192.0.2.7` (RFC 4291 section 2.5.5.1) is not that IPv4 address, though parsers take it for it.
  if (/^::\d+\./.test(text)) return undefined;
  // isIPv6 takes a zone; an address that is only valid on one link names no client.
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return copied(address.toIPv4Address().toString());
  return copied(address.toRFC5952String());
}

/** Gives an IPv6 client as eight groups without `::`, and an IPv4 client as it is. */
export function uncompressed(client: Client): string {
  if (!client.includes("::")) return client;
  const [left = "", right = ""] = client.split("::");
  const before = groupsOf(left);
  const after = groupsOf(right);
  return [...before, ...zeros.slice(before.length + after.length), ...after].join(":");
}

/** Gives the name of the /64 that an IPv6 client lies in: its first four groups, without `::`. Undefined for IPv4. */
export function network64(client: Client): string | undefined {
  if (!client.includes(":")) return undefined;
  const whole = uncompressed(client);
  let end = -1;
  for (let groups = 0; groups < 4; groups++) end = whole.indexOf(":", end + 1);
  return whole.slice(0, end);
}

/**
 * Takes networks as `address/prefix-length` or single addresses, IPv4 or IPv6.
 * @throws RangeError that names the first one that is not a network, and what would be right
 */
export function networks(texts: readonly string[]): Networks {
  // Families apart: by its mapped form IPv4 would lie in IPv6 networks, and `::/0` hold all of it.
  const all = { ipv4: new Map<number, Prefix>(), ipv6: new Map<number, Prefix>() };
  const parts = new Map<string, string[]>();
  for (const text of texts) {
    const [address, bits, family] = parseNetwork(text);
    const masks = masksOf(bits, family);
    const prefix = all[family].get(bits) ?? { masks, networks: new Set() };
    all[family].set(bits, prefix);
    prefix.networks.add(keyOf(wordsOf(address), masks));
    const whole = bits > 64 ? network64(address) : undefined;
    const part = bits === 128 ? address : text;
    if (whole !== undefined) parts.set(whole, [...(parts.get(whole) ?? []), part]);
  }
  return {
    parts,
    has(client, longest = 128) {
      const prefixes = all[familyOf(client)];
      if (prefixes.size === 0) return false;
      const words = wordsOf(client);
      for (const [bits, { masks, networks }] of prefixes) {
        if (bits <= longest && networks.has(keyOf(words, masks))) return true;
      }
      return false;
    },
  };
}

/** The networks of one length. An address is one or four words of 32 bits; node:net's BlockList takes 10 us to read one. */
interface Prefix {
  readonly masks: readonly number[];
  readonly networks: Set<number | string>;
}

/** What all addresses of one network have in common. */
function keyOf(words: readonly number[], masks: readonly number[]): number | string {
  const masked = (at: number) => (words[at] ?? 0) & (masks[at] ?? 0);
  if (words.length === 1) return masked(0);
  return `${String(masked(0))} ${String(masked(1))} ${String(masked(2))} ${String(masked(3))}`;
}

function masksOf(bits: number, family: "ipv4" | "ipv6"): number[] {
  return Array.from({ length: family === "ipv4" ? 1 : 4 }, (_, at) => {
    const own = Math.min(32, Math.max(0, bits - 32 * at));
    return own === 0 ? 0 : -1 << (32 - own);
  });
}

/** Reads a canonical client. */
function wordsOf(client: Client): number[] {
  if (familyOf(client) === "ipv4") return [ipv4Word(client)];
  const groups = groupsOf(uncompressed(client)).map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map((at) => ((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0));
}

const zeros: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

function ipv4Word(client: Client): number {
  let word = 0;
  let octet = 0;
  for (let at = 0; at < client.length; at++) {
    const code = client.charCodeAt(at);
    if (code === dot) {
      word = (word << 8) | octet;
      octet = 0;
    } else octet = octet * 10 + code - zero;
  }
  return (word << 8) | octet;
}

const dot = 46;
const zero = 48;

function parseNetwork(text: string): [address: Client, bits: number, family: "ipv4" | "ipv6"] {
  const [address = "", bits, ...rest] = text.split("/");
  const client = canonicalClient(address);
  if (client === undefined || rest.length > 0) {
    throw new RangeError(
      `"${text}" is not a network; write it as 192.0.2.0/24, 2001:db8::/32 or a single address`,
    );
  }
  // A mapped IPv4 network would count its bits from another start.
  const family = familyOf(client);
  if (family === "ipv4" && address.includes(":")) {
    throw new RangeError(`"${text}" is IPv4 written as IPv6; write the IPv4 network itself`);
  }
  const width = family === "ipv4" ? 32 : 128;
  if (bits === undefined) return [client, width, family];
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width) {
    throw new RangeError(`"${text}" has no prefix length between 0 and ${String(width)}`);
  }
  const network = firstAddress(client, Number(bits));
  if (network !== client) {
    throw new RangeError(
      `"${text}" has bits set behind its prefix; the network is ${network}/${bits}`,
    );
  }
  return [client, Number(bits), family];
}

function firstAddress(client: Client, bits: number): string {
  const range = `${client}/${String(bits)}`;
  return familyOf(client) === "ipv4"
    ? ipaddr.IPv4.networkAddressFromCIDR(range).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(range).toRFC5952String();
}

function familyOf(client: Client): "ipv4" | "ipv6" {
  return client.includes(":") ? "ipv6" : "ipv4";
}

/** A substring keeps the whole line it was cut from alive; a client outlives its line. */
function copied(text: string): Client {
  return Buffer.from(text, "latin1").toString("latin1") as Client;
}
