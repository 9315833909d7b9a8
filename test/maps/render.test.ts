/** What the MTAs are given to read: golden files, and what holds for any set of clients. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import {
  array,
  assert,
  constantFrom,
  integer,
  ipV4,
  ipV6,
  oneof,
  property,
  tuple,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalClient, type Client } from "../../src/client.ts";
import { createMap } from "../../src/maps/index.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import { uncompressed } from "../../src/client.ts";
import { fixedClients } from "./clients.ts";

interface Expected {
  readonly settings: MapSettings;
  /** The lines before the first key, each a comment to the MTA or, as `# @list`, a mark. */
  readonly head?: string;
  /** All lines that may stand for a client, the first of them always, in whatever order. */
  readonly lines: (client: Client) => readonly string[];
}

const ipv6 = (client: Client): boolean => client.includes(":");
const header = "# popgate writes this file and its index: what is changed here by hand is lost.\n";

/** Every MTA, style and type that makes a difference to the text. */
const tables: Record<string, Expected> = {
  postfix: {
    settings: { mta: "postfix", table: "lmdb:/var/lib/popgate/relay" },
    lines: (one) => [`${one}\tOK`],
  },
  "sendmail-popauth": {
    settings: { mta: "sendmail", table: "hash:/var/lib/popgate/popauth" },
    lines: (one) =>
      ipv6(one) ? [`IPv6:${uncompressed(one)}\tOK`, `IPv6:${one}\tOK`] : [`${one}\tOK`],
  },
  "sendmail-access": {
    settings: { mta: "sendmail", table: "btree:/var/lib/popgate/access", style: "access" },
    lines: (one) =>
      ipv6(one)
        ? [`Connect:IPv6:${uncompressed(one)}\tRELAY`, `Connect:IPv6:${one}\tRELAY`]
        : [`Connect:${one}\tRELAY`],
  },
  exim: {
    settings: { mta: "exim", table: "/var/lib/popgate/relay" },
    lines: (one) => [one],
  },
  "exim-iplsearch": {
    settings: { mta: "exim", table: "net-iplsearch:/var/lib/popgate/relay" },
    lines: (one) => [ipv6(one) ? `"${one}"` : one],
  },
  opensmtpd: {
    settings: { mta: "opensmtpd", table: "file:/var/lib/popgate/relay" },
    head: "# @list\n",
    lines: (one) => [one],
  },
};

/** Addresses in every spelling, many of them neighbours, and texts that a daemon's log might hold in the place of one. */
const spellings = oneof(
  ipV4(),
  ipV6(),
  tuple(integer({ min: 0, max: 3 }), integer({ min: 0, max: 255 })).map(
    ([net, host]) => `192.0.${String(net)}.${String(host)}`,
  ),
  array(constantFrom("0", "1", "a", "00ff", "2001"), { minLength: 1, maxLength: 7 }).map(
    (groups) => `${groups.join(":")}::`,
  ),
  tuple(ipV4(), ipV6()).map(([mapped, other]) => `${other.slice(0, 3)}::ffff:${mapped}`),
  tuple(
    constantFrom("", "!", "@[", "*.", "+", "^", "#", "net-lsearch;/", "IPv6:", '"', " ", "<", "["),
    oneof(ipV4(), ipV6()),
    constantFrom(
      "",
      "/24",
      "/0",
      ".",
      ":",
      "::",
      "%eth0",
      '"',
      " OK",
      "\n",
      "\t",
      "]",
      ",::/0",
      "\0",
    ),
  ).map((parts) => parts.join("")),
);

const clients = array(spellings).map((texts) =>
  texts.map((text) => canonicalClient(text)).filter((found) => found !== undefined),
);

describe.each(Object.entries(tables))("%s", (name, { settings, head = "", lines }) => {
  const map = createMap(settings);
  const text = (clients: readonly Client[]) => [...map.render(clients)].join("");

  test("golden file", () => {
    const golden = new URL(`../golden/${name}.txt`, import.meta.url);
    expect(text(fixedClients)).toBe(readFileSync(golden, "utf8"));
  });

  test("no clients: comments alone", () => {
    expect(text([])).toBe(header + head);
  });

  test("any clients: sorted, unique lines, each one client's whole address in its canonical spelling", () => {
    assert(
      property(clients, (all) => {
        const rendered = text(all);
        expect(rendered.startsWith(header + head) && rendered.endsWith("\n")).toBe(true);
        const found = rendered
          .slice((header + head).length)
          .split("\n")
          .slice(0, -1);
        // Bytewise, as the tools sort; nothing stands twice.
        expect(found).toEqual([...new Set(found)].sort());
        const allowed = new Set(all.flatMap(lines));
        for (const line of found) {
          expect(allowed).toContain(line);
          // Nothing else can be read into it: no network, wildcard, name, comment, exclusion, file.
          expect(line).toMatch(shape);
          expect(isIP(addressIn(line))).not.toBe(0);
          expect(all).toContain(canonicalClient(addressIn(line)));
        }
        for (const one of all) {
          const [always = ""] = lines(one);
          expect(found.includes(always)).toBe(map.leavesOut?.(one, []) !== true);
        }
        expect(text(all.toReversed())).toBe(rendered);
      }),
      { numRuns: 200 },
    );
  });

  test("a client whose address, cut short, reads like a granted one shares its /64", () => {
    assert(
      property(groups(4), groups(5), groups(4), (before, after, more) => {
        const cut = `${hex(before)}::${hex(after)}`;
        const granted = canonicalClient(cut);
        const stranger = canonicalClient(`${cut}:${hex(more)}`);
        if (granted !== cut || stranger !== `${cut}:${hex(more)}`) return;
        if (networkOf(granted) === networkOf(stranger)) return;
        const found = text([granted]).split("\n");
        if (cutsShort(settings)) expect(found).not.toContain(lines(granted).at(-1));
        else expect(found).toContain(lines(granted)[0]);
      }),
      { numRuns: 1000 },
    );
  });
});

/** A key's tag, its address, and the value. */
const shape = /^(?:Connect:)?(?:(?:IPv6:|"?)[0-9a-f:]+"?|[0-9.]+)(?:\tOK|\tRELAY)?$/;

/** What the MTA takes for the address. */
function addressIn(line: string): string {
  return line.replace(/^(?:Connect:)?(?:IPv6:)?"?/, "").replace(/"?(?:\t\w+)?$/, "");
}

/** Whether the MTA also asks for addresses with their last groups cut off. */
function cutsShort({ mta, style }: MapSettings): boolean {
  return mta === "postfix" || style === "access";
}

/** The first four groups. */
function networkOf(address: string): string {
  const [left = "", right = ""] = address.split("::");
  const missing = 8 - address.split(":").filter((group) => group !== "").length;
  const zeros = address.includes("::") ? Array.from({ length: missing }, () => "0") : [];
  return [...left.split(":"), ...zeros, ...right.split(":")].slice(0, 4).join(":");
}

/** Some groups of an IPv6 address, none of them zero. */
function groups(maxLength: number) {
  return array(integer({ min: 1, max: 0xffff }), { minLength: 1, maxLength });
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}
