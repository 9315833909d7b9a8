/** Which IPv6 addresses may relay by a table, judged by a model of each MTA's look-up: no more than shall, and no fewer. */
import { array, assert, constantFrom, integer, oneof, property, record, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalClient, networks, type Client } from "../../src/client.ts";
import { exclusionsOf } from "../../src/grants/exclusions.ts";
import { createMap } from "../../src/maps/index.ts";
import { cutKeys } from "../../src/maps/ipv6.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import { client } from "./clients.ts";

type Groups = readonly number[];

/** inet_ntop(3): the first of the longest runs of zeros, if it has two groups or more, is `::`. */
function text(groups: Groups): string {
  let [best, length] = [0, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) [best, length] = [start, end - start];
  }
  const hex = (some: Groups) => some.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + length))}`;
}

function full(groups: Groups): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** How an MTA asks: whether it finds the address among these lines. */
type Finds = (lines: ReadonlySet<string>, address: Groups) => boolean;

/** check_addr_access in Postfix's smtpd_check.c: the text, then without its last colon and what stands behind it. */
const postfix: Finds = (lines, address) => {
  let key = text(address);
  for (;;) {
    if (lines.has(`${key}\tOK`)) return true;
    const colon = key.lastIndexOf(":");
    if (colon < 0) return false;
    key = key.slice(0, colon);
  }
};

/** The ruleset A of Sendmail's proto.m4: `$+::$-` loses both colons, `$+:$-` one; what ends in a colon is not cut. */
function sendmail(spell: (address: Groups) => string): Finds {
  return (lines, address) => {
    let key: string | undefined = `IPv6:${spell(address)}`;
    while (key !== undefined) {
      if (lines.has(`Connect:${key}\tRELAY`)) return true;
      key = (/^(.+?)::[^:]+$/.exec(key) ?? /^(.+):[^:]+$/.exec(key))?.[1];
    }
    return false;
  };
}

/** Exim and OpenSMTPD compare the bits of an address with those of each line. */
const bits: Finds = (lines, address) =>
  [...lines].some((line) => {
    if (line === "" || line.startsWith("#")) return false;
    const [, base = "", length = "128"] = /^"?([\da-f:]+)(?:\/(\d+))?"?$/.exec(line) ?? [];
    return isIn(address, groupsOf(base), Number(length));
  });

function isIn(address: Groups, base: Groups, length: number): boolean {
  const binary = (groups: Groups) =>
    groups.map((one) => one.toString(2).padStart(16, "0")).join("");
  return binary(address).slice(0, length) === binary(base).slice(0, length);
}

function groupsOf(address: string): Groups {
  const [left = "", right] = address.split("::");
  const hex = (some: string) =>
    some === "" ? [] : some.split(":").map((one) => parseInt(one, 16));
  if (right === undefined) return hex(left);
  const zeros = Array.from({ length: 8 - hex(left).length - hex(right).length }, () => 0);
  return [...hex(left), ...zeros, ...hex(right)];
}

interface Case {
  readonly settings: MapSettings;
  readonly finds: Finds;
  /** Cuts compressed texts short: some of a client's own /64 come in by its own key, and some clients are left out. */
  readonly cuts?: boolean;
}

const access = { mta: "sendmail", table: "hash:/x/access", style: "access" } as const;
const cases: Record<string, Case> = {
  postfix: { settings: { mta: "postfix", table: "lmdb:/x/r" }, finds: postfix, cuts: true },
  "sendmail, an access map": { settings: access, finds: sendmail(full) },
  "sendmail, an access map, compressed": { settings: access, finds: sendmail(text), cuts: true },
  "exim, a list": { settings: { mta: "exim", table: "/x/r" }, finds: bits },
  "exim, a lookup": { settings: { mta: "exim", table: "net-iplsearch:/x/r" }, finds: bits },
  opensmtpd: { settings: { mta: "opensmtpd", table: "db:/x/r" }, finds: bits },
};

const group = constantFrom(0, 0, 0, 1, 5, 0xffff);
const address = tuple(
  constantFrom(0x2001, 0x2001, 0x2a00, 0xfd00),
  constantFrom(0, 0xdb8),
  group,
  group,
  oneof(
    constantFrom([0, 0, 0, 5], [0, 0, 0, 0xffff], [0, 0, 5, 1]),
    array(group, { minLength: 4, maxLength: 4 }),
  ),
).map(([a, b, c, d, rest]): Groups => [a, b, c, d, ...rest]);
/** Reads like the address with one group more, where that has a `::` in its second half. */
const longer = (one: Groups): Groups => [...one.slice(0, 4), ...one.slice(5), 1];
const addresses = array(address, { maxLength: 12 });
/** A network in the /64 of one of them, or an address. */
const parts = array(tuple(address, oneof(integer({ min: 65, max: 128 }), constantFrom(112, 128))), {
  maxLength: 2,
});

/** A network as the config wants it, its host bits zero. */
function network(base: Groups, length: number): string {
  const masked = base.map((one, at) => {
    const own = Math.min(16, Math.max(0, length - 16 * at));
    return one & (0xffff << (16 - own)) & 0xffff;
  });
  return `${String(canonicalClient(full(masked)))}/${String(length)}`;
}

function clientOf(groups: Groups): Client {
  return client(full(groups));
}

describe.each(Object.entries(cases))("%s", (_, { settings, finds, cuts = false }) => {
  test.each([128, 64] as const)(
    "ipv6_prefix = %d: no excluded address, every granted one",
    (prefix) => {
      const map = createMap(prefix === 64 ? { ...settings, ipv6_prefix: 64 } : settings);
      let [widened, held] = [0, 0];
      assert(
        property(
          record({
            granted: addresses,
            others: addresses,
            revoked: array(address, { maxLength: 2 }),
            own: array(address, { maxLength: 1 }),
            parts,
            close: constantFrom("revoked", "part", "neither"),
            allowed: constantFrom<readonly string[]>(
              [],
              ["fd00::/8"],
              ["fd00:db8::/32", "fd00::1"],
            ),
          }),
          ({ granted, others, close, allowed, own, ...more }) => {
            const next = granted.slice(0, 1).map(longer);
            const revoked = [...more.revoked, ...(close === "revoked" ? next : [])];
            const parts = [
              ...more.parts,
              ...(close === "part" ? next.map((one) => [one, 108] as const) : []),
            ];
            const allow = networks(allowed);
            const isBuiltIn = (one: Groups) => one[0] === 0xfd00 && !allow.has(clientOf(one));
            const isExcluded = (one: Groups) =>
              [...revoked, ...own.filter((mine) => !allow.has(clientOf(mine)))].some(
                (other) => full(other) === full(one),
              ) || parts.some(([base, length]) => isIn(one, base, length));
            const grants = granted.filter((one) => !isExcluded(one) && !isBuiltIn(one));
            const policy = {
              never: networks(parts.map(([base, length]) => network(base, length))),
              allow,
              own: new Set(own.map(clientOf)),
            };
            const excluded = exclusionsOf(
              policy,
              revoked.map((one) => ({ client: clientOf(one), until: 1, why: "" })),
            );
            const lines = new Set(
              [...map.render(grants.map(clientOf), excluded)].join("").split("\n"),
            );

            const all = [...granted, ...others, ...revoked, ...own, ...parts.map(([base]) => base)];
            // Their neighbours, too: each with another last group, and with the first address of the next /64.
            const near = all.flatMap((one) => [
              longer(one),
              [...one.slice(0, 7), 0xffff],
              [...one.slice(0, 3), ((one[3] ?? 0) + 1) & 0xffff, 0, 0, 0, 0],
              [...one.slice(0, 4), 0, 0, 0, one[4] ?? 0],
            ]);
            for (const one of [...all, ...near]) {
              const found = finds(lines, one);
              const isGranted = grants.some((other) => full(other) === full(one));
              const beside = grants.filter((other) => isIn(one, other, 64));
              if (isExcluded(one)) expect(found, text(one)).toBe(false);
              if (beside.length === 0) expect(found, text(one)).toBe(false);
              if (found && !isGranted && isBuiltIn(one)) expect(cuts).toBe(true);
              if (found && !isGranted && !cuts) {
                expect(prefix).toBe(64);
                expect(
                  [...all, ...near].some((other) => isIn(other, one, 64) && isExcluded(other)),
                ).toBe(false);
                widened++;
              }
              if (!isGranted) continue;
              const name = clientOf(one);
              const isLeftOut = map.leavesOut?.(name, excluded(name)) === true;
              // A Sendmail that compresses finds a client by the one of its two keys that may be left out.
              if (!isLeftOut && (settings.mta !== "sendmail" || !cuts))
                expect(found, name).toBe(true);
              held++;
            }
          },
        ),
        { numRuns: 100 },
      );
      expect(held).toBeGreaterThan(0);
      if (prefix === 64 && !cuts) expect(widened).toBeGreaterThan(0);
    },
  );

  test("a /64 with nothing excluded is granted whole, its neighbours are not", () => {
    const map = createMap({ ...settings, ipv6_prefix: 64 });
    assert(
      property(address, array(group, { minLength: 4, maxLength: 4 }), (one, rest) => {
        const lines = new Set([...map.render([clientOf(one)], () => [])].join("").split("\n"));
        const other = [...one.slice(0, 4), ...rest];
        const isExpressible = !cuts || cutKeys(full(one.slice(0, 4))).length > 0;
        // Where Sendmail compresses, zero groups may hide the /64: then the client is granted alone.
        const isSure =
          isExpressible && !(cuts && settings.mta === "sendmail" && full(one).includes("0"));
        if (isSure) expect(finds(lines, other), text(other)).toBe(true);
        for (const step of [-1, 1]) {
          const next = ((one[3] ?? 0) + step) & 0xffff;
          for (const last of [0, 0xffff]) {
            const outside = [...one.slice(0, 3), next, last, last, last, last];
            expect(finds(lines, outside), text(outside)).toBe(false);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("nobody is granted with a /64 where it is not known what is excluded", () => {
  for (const { settings } of Object.values(cases)) {
    const one = [client("2001:db8:1:2:3:4:5:6")];
    const wide = createMap({ ...settings, ipv6_prefix: 64 });
    expect([...wide.render(one)].join("")).toBe([...createMap(settings).render(one)].join(""));
  }
});

test.each([
  ["2001:db8:1:2", ["2001:db8:1:2"]],
  ["2001:db8:1:0", ["2001:db8:1:0", "2001:db8:1:"]],
  ["2001:db8:0:0", ["2001:db8:0:0", "2001:db8:"]],
  ["2001:0:1:0", ["2001:0:1:0", "2001:0:1:"]],
  ["2001:db8:0:1", ["2001:db8:0:1"]],
  ["2001:0:0:5", []],
  ["2001:0:0:0", []],
  ["0:0:0:0", []],
  ["0:1:2:3", []],
])("the keys of %s::/64 where texts are cut short", (groups, keys) => {
  expect(cutKeys(groups)).toEqual(keys);
});
