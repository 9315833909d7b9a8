import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Adapter, Proof } from "../src/adapters/adapter.ts";
import { adapters, defaultAdapters } from "../src/adapters/index.ts";
import { ownAdapters } from "../src/adapters/own.ts";
import { createProgram } from "../src/cli.ts";
import { configText, parseAdapters, parseConfig } from "../src/config.ts";
import { createMap } from "../src/maps/index.ts";
import { trustText } from "../src/sources/trust.ts";
import type { SourceSettings } from "../src/sources/settings.ts";
import { GatheringOutside } from "./outside.ts";

const names = adapters.map(({ name }) => name);
const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
const example = read("examples/popgate.toml");
const readme = read("README.md");

const proofs: Readonly<Record<Proof, string>> = {
  daemon: "a real daemon",
  line: "a public line",
  source: "the source",
  config: "its config",
  unproved: "nothing",
};

/** Of a journal. */
const journalKeys = [
  "type",
  "units",
  "identifiers",
  "trust",
  "namespace",
  "directory",
  "adapters",
  "ttl",
];
const trustOf = (source: SourceSettings) =>
  source.type === "journal" ? trustText(source.trust) : "";

/** The example with its commented keys, but for those that contradict what stands there. */
const full = parseConfig(
  example
    .replace(/^# (\w+ = .*|\[\[adapter\]\])$/gm, "$1")
    .replace(
      /^(?:(?:config_dir|style|zone|format|group|listen|audit) = .*|name = "popgate")$/gm,
      "",
    ),
  "popgate.toml",
  names,
);

describe("the example config", () => {
  test("is a config as it stands, and its commented keys show the defaults", () => {
    const plain = parseConfig(example, "popgate.toml", names);
    expect({ ...full, source: [], map: [], adapter: [] }).toEqual({
      ...plain,
      source: [],
      map: [],
      adapter: [],
    });
    const byDefault = defaultAdapters.map(({ name }) => name);
    expect(full.source[0]).toEqual({
      ...plain.source[0],
      adapters: byDefault,
      ttl: plain.ttl,
    });
  });

  test("has every key that there is", () => {
    const keys = new Set([...example.matchAll(/^(?:# )?(\w+) = /gm)].map(([, key]) => key));
    const known = [...configText(full).matchAll(/^(\w+) = /gm)].map(([, key]) => key);
    for (const key of known) expect(keys).toContain(key);
    for (const key of keys) {
      expect(readme, `README has no row for ${String(key)}`).toMatch(
        new RegExp(String.raw`^\| .*\b${String(key)}\`? \|`, "m"),
      );
    }
  });
});

test("the adapter of the example is right, and README has the same", async () => {
  const linear = async (patterns: readonly RegExp[]) => patterns.map(() => undefined);
  const { faults } = await ownAdapters(full.adapter ?? [], adapters, linear);
  expect(full.adapter?.map(({ name }) => name)).toEqual(["acme"]);
  expect(faults).toEqual([]);
  const [, block = ""] = /\n( {4}\[\[adapter\]\]\n(?: {4}.*\n)+)/.exec(readme) ?? [];
  expect(parseAdapters(block, "README.md", names)).toEqual(full.adapter);
});

test("README says of every adapter how it is proved, and whether it is on", () => {
  const rows = [
    ...readme.matchAll(
      /^\| .* \| `([a-z0-9-]+)` \| (a real daemon|a public line|the source|nothing) \| (on|off) \|/gm,
    ),
  ];
  expect(rows.map(([, name, proof, on]) => [name, proof, on])).toEqual(
    (adapters as readonly Adapter[]).map((adapter) => [
      adapter.name,
      proofs[adapter.proof],
      (defaultAdapters as readonly Adapter[]).includes(adapter) ? "on" : "off",
    ]),
  );
});

test("the example config for the journal has every key of that source, and shows its defaults", () => {
  const text = read("examples/popgate-journal.toml");
  const plain = parseConfig(text, "popgate-journal.toml", names);
  const whole = text
    .replace(/^# (\w+ = .*)$/gm, "$1")
    .replace(/^(trust = .*)\n[^]*?^(trust = .*)$/m, "$2");
  const full = parseConfig(whole, "popgate-journal.toml", names);
  expect(Object.keys(full.source[0] ?? {}).sort()).toEqual(journalKeys.sort());
  const trust = plain.source.map(trustOf).join("");
  expect(text).toContain(`# trust = ${trust}`);
  expect(readme).toContain(`| \`${trust}\` |`);
  for (const key of journalKeys) {
    expect(readme, `README has no row for ${key}`).toMatch(
      new RegExp(`^\\| .*\\b${key}\`? \\|`, "m"),
    );
  }
});

test("the MTA's lines of the examples are those that popgate gives", () => {
  const flat = (text: string) =>
    text
      .replace(/^(?:#|dnl).*\n/gm, "")
      .replace(/\s+/g, " ")
      .trim();
  const postfix = createMap({ mta: "postfix", table: "lmdb:/var/lib/popgate/relay" });
  expect(flat(read("examples/postfix-main.cf"))).toBe(flat(postfix.advice.join("\n")));
  const sendmail = createMap({ mta: "sendmail", table: "hash:/var/lib/popgate/relay" });
  expect(read("examples/sendmail-popauth.mc").replace(/^dnl.*\n/gm, "")).toBe(
    `${sendmail.advice.join("\n")}\n`,
  );
});

test.each(["exim", "opensmtpd"] as const)("README has the lines for %s, and the table", (mta) => {
  const tables = { exim: ["", "net-iplsearch:"], opensmtpd: ["db:", "file:"] }[mta];
  for (const type of tables) {
    const table = `${type}/var/lib/popgate/relay`;
    expect(readme).toContain(`table = "${table}"`);
    const { advice } = createMap({ mta, table });
    for (const line of advice) if (!line.startsWith("#")) expect(readme).toContain(line);
  }
});

test("README names every command, and none that there is not", () => {
  const program = createProgram(new GatheringOutside(), () => {});
  const commands = program.commands.map((command) => command.name());
  const [, table = ""] = /## The commands\n([^#]*)/.exec(readme) ?? [];
  const named = [...table.matchAll(/^ {4}popgate (\w+) {2}/gm)].map(([, name]) => name);
  expect(named).toEqual(commands);
  for (const [, name] of readme.matchAll(/`popgate (\w+)/g)) expect(commands).toContain(name);
});

test("every option that README and the examples use is there", () => {
  const program = createProgram(new GatheringOutside(), () => {});
  const options = new Set(
    program.commands.flatMap((command) => command.options.map(({ long }) => long)),
  );
  const names = program.commands.map((command) => command.name()).join("|");
  for (const [line] of readme.matchAll(new RegExp(`popgate (?:${names})\\b[^\\n\`]*`, "g"))) {
    for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(options).toContain(option);
  }
});

test("the change log has something to say about this version", () => {
  expect(read("CHANGELOG.md")).toMatch(/^## (?:Unreleased|0\.1\.0)/m);
});

test("a file of src holds one thing: it opens with one sentence, and is short", () => {
  const directory = new URL("../src/", import.meta.url);
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  for (const name of files) {
    const text = readFileSync(new URL(name, directory), "utf8").replace(/^#!.*\n/, "");
    expect(text, name).toMatch(/^\/\*\* [^\n]+\*\/\n/);
    expect(text.split("\n").length, `${name} is long`).toBeLessThanOrEqual(300);
  }
});
