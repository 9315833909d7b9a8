import { BlockList, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalClient, networks, type Client } from "../src/client.ts";

const spellings: readonly [text: string, client: string | undefined][] = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["::ffff:c000:207", "192.0.2.7"],
  ["2001:DB8::1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0000:0000:000a:0002", "2001:db8::a:2"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["::1", "::1"],
  ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
  ["::192.0.2.7", undefined],
  ["::ffff:192.0.2.256", undefined],
  ["::ffff:192.0.2", undefined],
  ["::ffff:0:192.0.2.7", "::ffff:0:c000:207"],
  ["64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
  ["fe80::1%eth0", undefined],
  ["2001:db8::1%25", undefined],
  ["[2001:db8::1]", undefined],
  ["[2001:db8::1]:993", undefined],
  ["192.0.2.7:993", undefined],
  ["192.0.2.7/32", undefined],
  ["0192.0.2.7", undefined],
  ["192.0.2.007", undefined],
  ["192.0.2", undefined],
  ["192.0.2.256", undefined],
  ["3221225991", undefined],
  ["0xc0000207", undefined],
  ["192.0.2.7 ", undefined],
  [" 192.0.2.7", undefined],
  ["192.0.2.7\n", undefined],
  ["١٩٢.0.2.7", undefined],
  ["mx.example.org", undefined],
  ["unknown", undefined],
  ["2001:db8:::1", undefined],
  ["2001:db8::1::2", undefined],
  ["1:2:3:4:5:6:7", undefined],
  ["", undefined],
  ["1".repeat(1000), undefined],
];

describe("a client's one spelling", () => {
  test.each(spellings)("%s is %s", (text, client) => {
    expect(canonicalClient(text)).toBe(client);
  });

  test("is a fixed point, and an address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        fc.pre(!/^::\d+\./.test(text));
        const client = canonicalClient(text);
        expect(client).toBeDefined();
        expect(canonicalClient(client ?? "")).toBe(client);
        expect(isIPv4(client ?? "") || isIPv6(client ?? "")).toBe(true);
      }),
    );
  });

  test("whatever the text, it is refused or has one spelling", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF:.%/[] x".split("")) }),
        (text) => {
          const client = canonicalClient(text);
          if (client !== undefined) expect(client).toMatch(/^[0-9a-f:.]+$/);
        },
      ),
    );
  });
});

const memberships: readonly [network: string, client: string, inside: boolean][] = [
  ["198.51.100.0/24", "198.51.100.255", true],
  ["198.51.100.0/24", "198.51.101.0", false],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["0.0.0.0/0", "203.0.113.1", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:DB8:0::/32", "2001:db9::1", false],
  ["::/0", "192.0.2.7", false],
];

describe("networks", () => {
  test.each(memberships)("%s holds %s: %s", (network, client, inside) => {
    expect(networks([network]).has(client as Client)).toBe(inside);
  });

  test.each([
    ["192.0.2.0/33", /between 0 and 32/],
    ["192.0.2.1/24", /192\.0\.2\.0\/24/],
    ["2001:db8::1/32", /2001:db8::\/32/],
    ["::ffff:192.0.2.0/120", /IPv4 written as IPv6/],
    ["192.0.2.0/", /prefix length/],
    ["192.0.2.0/024", /prefix length/],
    ["192.0.2.0/24/24", /not a network/],
    ["example.org", /not a network/],
    ["", /not a network/],
  ])("%s is refused", (text, message) => {
    expect(() => networks(["192.0.2.0/24", text])).toThrow(message);
  });
});

test("a network holds what node:net's BlockList holds by it, whatever it is", () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  const ipv6 = groups.map((all) => all.map((group) => group.toString(16)).join(":"));
  const ipv4 = fc.ipV4();
  const pair = (address: fc.Arbitrary<string>, width: number) =>
    fc.tuple(address, address, fc.integer({ min: 0, max: width }));
  fc.assert(
    fc.property(fc.oneof(pair(ipv4, 32), pair(ipv6, 128)), ([one, other, bits]) => {
      const client = canonicalClient(one) ?? "";
      const second = canonicalClient(other) ?? "";
      const family = client.includes(":") ? "ipv6" : "ipv4";
      // An address may be canonical in the other family, mapped.
      fc.pre(second.includes(":") === client.includes(":"));
      fc.pre(bits <= (family === "ipv4" ? 32 : 128));
      const list = new BlockList();
      list.addSubnet(client, bits, family);
      const text = firstOf(client, bits);
      for (const each of [client, second]) {
        expect(networks([text]).has(each as Client)).toBe(list.check(each, family));
      }
    }),
  );
});

/** The network of so many bits in which an address lies: the error that the address itself raises names it. */
function firstOf(client: string, bits: number): string {
  const text = `${client}/${String(bits)}`;
  try {
    networks([text]);
    return text;
  } catch (error) {
    return /the network is (\S+)$/.exec(String(error))?.[1] ?? text;
  }
}
