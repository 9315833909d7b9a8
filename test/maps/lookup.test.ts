/** What a table says of a client, with map tools that only speak as the real ones do. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Client } from "../../src/client.ts";
import { createMap } from "../../src/maps/index.ts";
import { lookUp } from "../../src/maps/lookup.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import { run, spawn } from "../../src/run.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "popgate-lookup-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const client = "192.0.2.7" as Client;

function asked(settings: MapSettings, of = client) {
  return lookUp(createMap(settings), of, { run, spawn });
}

/** A tool that is this shell script. */
function tool(script: string): string {
  const file = join(directory, "tool");
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

test.each([
  ["cat >/dev/null; printf '192.0.2.7\\tOK\\n'", { value: "OK" }],
  ["cat >/dev/null; printf '192.0.2\\tOK\\n192.0.2.7\\tDUNNO\\n'", { value: "DUNNO" }],
  ["exit 1", { value: undefined }],
  ["echo 'postmap: fatal: open x' >&2; exit 1", { fault: "postmap: fatal: open x" }],
  ["exit 75", { fault: "exit status 75" }],
])("postmap that does %j", async (script, found) => {
  const settings = { mta: "postfix", table: "lmdb:/x/relay", tool: tool(script) } as const;
  expect(await asked(settings)).toEqual(found);
});

test.each([
  ["192.0.2.7", "192.0.2.7 192.0.2 192.0 192"],
  ["2001:db8::5:1", "2001:db8::5:1 2001:db8::5 2001:db8: 2001:db8 2001"],
])(
  "postmap is asked in this table for %s, cut shorter and shorter as smtpd does",
  async (of, keys) => {
    const script = `printf '%s\\t%s\\n' ${of} "$* $(echo $(cat))"`;
    const settings = { mta: "postfix", table: "lmdb:/x/relay", tool: tool(script) } as const;
    expect(await asked(settings, of as Client)).toEqual({ value: `-q - lmdb:/x/relay ${keys}` });
  },
);

test.each([
  ["printf '192.0.2.9\\tOK\\n192.0.2.7\\tOK\\n'", client, { value: "OK" }],
  ["printf '192.0.2.77\\tOK\\n'", client, { value: undefined }],
  ["printf 'ipv6:2001:db8::7\\tOK\\n'", "2001:db8::7" as Client, { value: "OK" }],
  ["exit 75", client, { fault: expect.stringContaining("exit status 75") }],
])("makemap that lists by %j", async (script, of, found) => {
  const settings = { mta: "sendmail", table: "hash:/x/relay", tool: tool(script) } as const;
  expect(await asked(settings, of)).toEqual(found);
});

test("a list is read itself", async () => {
  const table = join(directory, "relay");
  expect(await asked({ mta: "exim", table })).toEqual({ fault: expect.stringMatching(/ENOENT/) });
  writeFileSync(table, "# popgate\n192.0.2.70\n");
  expect(await asked({ mta: "exim", table })).toEqual({ value: undefined });
  writeFileSync(table, "# popgate\n192.0.2.7\n2001:db8:0:1::/64\n");
  expect(await asked({ mta: "exim", table })).toEqual({ value: "listed" });
  const wide = { mta: "exim", table, ipv6_prefix: 64 } as const;
  expect(await asked(wide, "2001:db8:0:1::7" as Client)).toEqual({ value: "listed" });
  expect(await asked(wide, "2001:db8::7" as Client)).toEqual({ value: undefined });
});
