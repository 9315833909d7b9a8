/** What the MTAs are given to read: golden files, and what holds for any set of clients. */
import { readFileSync } from "node:fs";
import { array, assert, integer, ipV4, ipV6, oneof, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalClient, type Client } from "../../src/client.ts";
import { createMap } from "../../src/maps/index.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import { client, fixedClients } from "./clients.ts";

const tables: Record<string, MapSettings> = {
  postfix: { mta: "postfix", table: "lmdb:/var/lib/popgate/relay" },
  "sendmail-popauth": { mta: "sendmail", table: "hash:/var/lib/popgate/popauth" },
  "sendmail-access": { mta: "sendmail", table: "btree:/var/lib/popgate/access", style: "access" },
  exim: { mta: "exim", table: "/var/lib/popgate/relay" },
};

describe.each(Object.entries(tables))("%s", (name, settings) => {
  const map = createMap(settings);
  const text = (clients: readonly Client[]) => [...map.render(clients)].join("");

  test("golden file", () => {
    const golden = new URL(`../golden/${name}.txt`, import.meta.url);
    expect(text(fixedClients)).toBe(readFileSync(golden, "utf8"));
  });

  test("no clients: comments alone", () => {
    expect(text([])).toMatch(/^(?:#.*\n)+$/);
  });

  test("any clients: sorted, unique keys that are whole addresses", () => {
    const address = oneof(ipV4(), ipV6())
      .map((text) => canonicalClient(text))
      .filter((found) => found !== undefined);
    assert(
      property(array(address), (clients) => {
        const rendered = text(clients);
        expect(rendered.endsWith("\n")).toBe(true);
        const lines = rendered.split("\n").slice(0, -1);
        const keys = lines.filter((line) => !line.startsWith("#")).map(keyOf);
        expect(keys).toEqual([...new Set(keys)].sort());
        for (const key of keys) expect(clients).toContain(addressIn(key));
        expect(text(clients.toReversed())).toBe(rendered);
      }),
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
        const keys = text([granted]).split("\n").map(keyOf);
        expect(keys).not.toContain(name === "postfix" ? granted : `Connect:IPv6:${granted}`);
      }),
      { numRuns: 1000 },
    );
  });
});

test("both IPv6 spellings of Sendmail stand side by side", () => {
  const popauth = createMap({ mta: "sendmail", table: "hash:/x/popauth" });
  expect([...popauth.render([client("2001:db8::a:2")])].join("")).toContain(
    "IPv6:2001:db8:0:0:0:0:a:2\tOK\nIPv6:2001:db8::a:2\tOK\n",
  );
});

function keyOf(line: string): string {
  return line.split("\t", 1)[0] ?? "";
}

function addressIn(key: string): unknown {
  return canonicalClient(key.replace(/^Connect:/, "").replace(/^IPv6:/, ""));
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
