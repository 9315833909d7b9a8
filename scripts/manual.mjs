/** Writes the manual pages beside the program that was just built, from the program itself and the example configs. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const { createProgram, helpTexts } = await import("../dist/cli.js");
const { configPage, programPage } = await import("../dist/manual.js");

const at = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), "utf8");
const { version } = JSON.parse(read("package.json"));
// The same sources give the same pages, where somebody asks for that: reproducible-builds.org.
const seconds = process.env.SOURCE_DATE_EPOCH;
const now = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
const edition = { version, date: now.toISOString().slice(0, 10) };
// Only its help is asked for.
const program = createProgram({}, () => {});
const examples = ["examples/popgate.toml", "examples/popgate-journal.toml"].map(read);
mkdirSync(at("dist/man"), { recursive: true });
writeFileSync(at("dist/man/popgate.8"), programPage(edition, helpTexts(program)));
writeFileSync(at("dist/man/popgate.toml.5"), configPage(edition, examples));
