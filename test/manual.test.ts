import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createProgram, helpTexts } from "../src/cli.ts";
import { configKeys } from "../src/config-keys.ts";
import { exit } from "../src/errors.ts";
import { configPage, programPage, sectionsOf } from "../src/manual.ts";
import { GatheringOutside } from "./outside.ts";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
const edition = { version: "1.2.3", date: "2026-11-23" };
const examples = ["examples/popgate.toml", "examples/popgate-journal.toml"].map(read);
const plain = (page: string) => page.replaceAll("\\-", "-").replaceAll("\\e", "\\");

function program() {
  return createProgram(new GatheringOutside(), () => {});
}

test("popgate(8) has every command, every option and argument, and every exit code", () => {
  const page = plain(programPage(edition, helpTexts(program())));
  for (const command of program().commands) {
    const [, section = ""] = page.split(`\n.SS "popgate ${command.name()} `);
    const own = section.split("\n.S")[0] ?? "";
    expect(own, command.name()).toContain(command.description().split(" ")[0]);
    const options = command.options.filter(({ long }) => long !== "--help");
    for (const { flags } of options) expect(own).toContain(`.TP\n\\fB${flags}\\fR\n`);
    for (const argument of command.registeredArguments) {
      expect(own).toContain(`.TP\n\\fB${argument.name()}\\fR\n`);
    }
  }
  const [, status = ""] = /\n\.SH "EXIT STATUS"\n([^]*?)\n\.SH/.exec(page) ?? [];
  const codes = [...status.matchAll(/\\fB(\d+)\\fR/g)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(exit));
  expect(page).toMatch(/^\.TH POPGATE 8 2026-11-23 "popgate 1\.2\.3" "popgate"\n/);
  for (const title of ["FILES", "ENVIRONMENT"]) expect(page).toContain(`\n.SH "${title}"\n.TP\n`);
  expect(page).toContain("\\fBSIGHUP\\fR\n");
});

test("popgate.toml(5) has every key of the config, with a text, in its table", () => {
  const named = examples.flatMap((example) =>
    sectionsOf(example).flatMap(({ title, keys }) =>
      keys.map(({ line }) => {
        const table = title.replace(/[[\]]/g, "");
        return `${table === "" ? "" : `${table}.`}${line.split(" ")[0] ?? ""}`;
      }),
    ),
  );
  // What stands within a key's value is told with that key.
  const isTable = (key: string) => [...configKeys()].some((other) => other.startsWith(`${key}.`));
  const wanted = [...configKeys()].filter(
    (key) => !/\..*\./.test(key) && (key.includes(".") || !isTable(key)),
  );
  expect([...new Set(named)].sort()).toEqual([...wanted].sort());
  const page = plain(configPage(edition, examples));
  for (const key of wanted) expect(page).toContain(`\\fB${key.split(".").at(-1) ?? ""} = `);
  // A key may share a text with the one above it.
  expect(page).not.toMatch(/\n\.T[PQ]\n\\fB.*\n\.(?!TQ)/);
});

test("a key that is in no example would be missed", () => {
  expect(configKeys()).toContain("source.trust._UID");
  expect(configKeys()).toContain("guard.max_grants");
  expect(configKeys()).toContain("adapter.must_not_match");
});

test("no text is taken for a request", () => {
  const help =
    "Usage: popgate x [options]\n\n.ig is no request, nor is 'this; C:\\x\n\nTitle:\n  .x -y  'z\n";
  const page = programPage(
    edition,
    new Map([
      ["popgate", "Usage: popgate\n\na: b\n"],
      ["x", help],
    ]),
  );
  const requests = page.split("\n").filter((line) => /^[.']/.test(line));
  for (const line of requests) expect(line).toMatch(/^\.(?:TH|SH|SS|TP|PP|B|BR|br)\b/);
  expect(page).toContain("\\&.ig is no request, nor is 'this; C:\\ex");
});
