/** Text to one canonical client address, and networks of such addresses. */
import { createRequire } from "node:module";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import type ipaddrModule from "ipaddr.js";

// An import would look through its source for names to export, which costs 7 MB and 40 ms at every start.
const ipaddr = createRequire(import.meta.url)("ipaddr.js") as typeof ipaddrModule;

declare const canonical: unique symbol;

/** A remote address in its one spelling: dotted IPv4, or IPv6 as RFC 5952 has it. Only `canonicalClient` makes one. */
export type Client = string & { readonly [canonical]: true };

/** A set of networks. */
export interface Networks {
  /** Whether the client lies in one of them. */
  has(client: Client): boolean;
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

/**
 * Takes networks as `address/prefix-length` or single addresses, IPv4 or IPv6.
 * @throws RangeError that names the first one that is not a network, and what would be right
 */
export function networks(texts: readonly string[]): Networks {
  // One list for both would compare IPv4 with IPv6 networks by its mapped form: `::/0` would hold all of IPv4.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of texts) {
    const [address, bits, family] = parseNetwork(text);
    lists[family].addSubnet(address, bits, family);
  }
  return {
    has(client) {
      const family = familyOf(client);
      return lists[family].check(client, family);
    },
  };
}

function parseNetwork(text: string): [address: string, bits: number, family: "ipv4" | "ipv6"] {
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
