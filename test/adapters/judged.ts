/** Log lines with the verdict that a person gave them. */
import { readFileSync } from "node:fs";
import { Matcher } from "../../src/adapters/matcher.ts";
import type { Refusal } from "../../src/adapters/matcher.ts";
import { adapters } from "../../src/adapters/index.ts";
import type { Login, Prefix } from "../../src/model.ts";

/** When all of them are judged: after the last one was written. */
export const judgedAt = Date.parse("2026-11-23T23:00:00Z");

/** One line of a sample file. */
export interface Sample {
  /** `= service user client`, `-`, or `- reason`. */
  readonly verdict: string;
  readonly line: string;
  /** Of the log line, from 1. */
  readonly number: number;
}

/** One line of the corpus: test/corpus/README.md tells its fields. */
export interface CorpusLine {
  readonly line: string;
  readonly daemon: string;
  readonly grants: boolean;
  readonly ip: string | null;
  readonly user: string | null;
  readonly why: string;
  readonly rule?: string;
  readonly policy?: string;
}

/** The lines of a file beside the tests, such as `samples/dovecot.log`, without their line feeds. */
export function linesOf(name: string): string[] {
  const text = readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  return text.split("\n").slice(0, -1);
}

/** Reads `test/samples/<adapter>.log`. */
export function samplesOf(adapter: string): Sample[] {
  const lines = linesOf(`samples/${adapter}.log`);
  const samples: Sample[] = [];
  for (let index = 0; index < lines.length; index++) {
    const verdict = lines[index] ?? "";
    if (verdict === "" || verdict.startsWith("#")) continue;
    if (!/^(?:= .+|-(?: [a-z]+)?)$/.test(verdict)) {
      throw new Error(`samples/${adapter}.log:${String(index + 1)} is no verdict: ${verdict}`);
    }
    index++;
    samples.push({ verdict, line: lines[index] ?? "", number: index + 1 });
  }
  return samples;
}

/** Reads `test/corpus/<name>.jsonl`. */
export function corpusOf(name: string): CorpusLine[] {
  return linesOf(`corpus/${name}.jsonl`).map((line) => JSON.parse(line) as CorpusLine);
}

/** Bytes of a text in which U+DC80 to U+DCFF stand for single bytes that are no UTF-8. */
export function bytesOf(text: string): Buffer {
  const parts = text.split(/([\uDC80-\uDCFF])/u);
  return Buffer.concat(
    parts.map((part, index) =>
      index % 2 === 1 ? Buffer.from([part.charCodeAt(0) - 0xdc00]) : Buffer.from(part),
    ),
  );
}

/** What all adapters make of a line that is read alone, in catch-up; or of a message, with the prefix that its source knows. */
export function judge(
  line: string | Buffer,
  now = judgedAt,
  prefix?: Prefix,
): Login | Refusal | undefined {
  return judgeAll([line], now, prefix)[0];
}

let shared = matcherOfAll();

/** The same of lines that are read one after the other. */
export function judgeAll(
  lines: readonly (string | Buffer)[],
  now = judgedAt,
  prefix?: Prefix,
): (Login | Refusal | undefined)[] {
  // The first line of a login that somebody else read is none of these lines' business.
  if (shared.openLines(now).length > 0) shared = matcherOfAll();
  return lines.map((line) => {
    const bytes = typeof line === "string" ? bytesOf(line) : line;
    return shared.match({ bytes, live: false, ...(prefix && { prefix }) }, now);
  });
}

/** A matcher of all adapters that has read nothing. */
export function matcherOfAll(): Matcher {
  return new Matcher(adapters, { zone: "UTC" });
}

/** The same in the words of a sample's verdict. */
export function verdictOf(match: Login | Refusal | undefined): string {
  if (match === undefined) return "-";
  if ("refused" in match) return `- ${match.refused}`;
  return `= ${match.service} ${match.user} ${match.client}`;
}
