/** A user's adapter is tried before it counts: on the samples that stand beside it, and on what a stranger could make of them. */
import type { Fault } from "../errors.ts";
import type { Entry, Login } from "../model.ts";
import { tagsOf } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";
import { entryOf } from "./entry.ts";
import { breakOf } from "./fit.ts";
import { forged, retold, temptations } from "./forgery.ts";
import { isLogin, Matcher } from "./matcher.ts";
import type { OwnAdapter } from "./own.ts";
import { reasonTexts, type Refusal } from "./refusal.ts";

/** No stamp of a sample lies ahead of this moment. */
const judgedAt = Date.UTC(2090, 0);

/** Characters of a line that are shown on both sides of a break. */
const shown = 40;

/** A sample as its matcher sees it. */
interface Sample {
  readonly key: string;
  readonly line: string;
  readonly entry: Entry;
}

type Judge = (line: string) => Login | Refusal | undefined;

/** Gives the faults of an adapter whose patterns are sound, each with the key below its own; `others` are all that there are besides. */
export function sampleFaults(
  own: OwnAdapter,
  adapter: Adapter,
  others: readonly Adapter[],
): readonly Fault[] {
  const faults: Fault[] = [];
  const judge = judgeOf(adapter);
  const samplesOf = (name: "must_match" | "must_not_match") =>
    own[name].flatMap((line, index): Sample[] => {
      const key = `${name}[${String(index)}]`;
      const entry = line.includes("\n") ? undefined : entryOf(line);
      if (entry !== undefined) return [{ key, line, entry }];
      faults.push([key, prefixFault(line, own)]);
      return [];
    });
  const genuine = samplesOf("must_match");
  const refused = samplesOf("must_not_match");
  return [
    ...faults,
    ...genuine.flatMap((sample) => genuineFaults(sample, own, adapter, judge, others)),
    ...unusedFaults(genuine, own, adapter),
    ...refusedFaults(refused, own, judge),
    ...forgeryFaults(genuine, refused, own, adapter, judge),
  ];
}

/** The key of one of the patterns: the config may have a single one without a list. */
export function keyOfPattern({ pattern }: OwnAdapter, index: number): string {
  return pattern.length === 1 ? "pattern" : `pattern[${String(index)}]`;
}

function prefixFault(line: string, { programs }: OwnAdapter): string {
  if (line.includes("\n")) return "is more than one line";
  return `popgate does not know what it begins with; give the whole line of the log, as "Nov 23 06:31:08 mx ${programs[0] ?? ""}[7]: ..."`;
}

function genuineFaults(
  sample: Sample,
  own: OwnAdapter,
  adapter: Adapter,
  judge: Judge,
  others: readonly Adapter[],
): Fault[] {
  const { key, line, entry } = sample;
  if (!own.programs.includes(entry.program)) {
    return [[key, `is a line of "${entry.program}", and programs names ${listed(own.programs)}`]];
  }
  const match = judge(line);
  if (match === undefined)
    return [[key, `no pattern takes it: ${breakText(adapter.logins, entry.message)}`]];
  if (!isLogin(match)) return [[key, refusalFault(match, entry, adapter)]];
  return others
    .filter((other) => tagsOf(other).some(([tag]) => own.programs.includes(tag)))
    .filter((other) => !isLogin(judgeOf(adapter, other)(line)))
    .map(({ name }) => [key, `the adapter "${name}" takes it, too; with both it grants nothing`]);
}

function refusalFault({ refused }: Refusal, { message }: Entry, { logins }: Adapter): string {
  const takers = logins.flatMap((pattern, index) => (pattern.test(message) ? [index] : []));
  if (takers.length > 1)
    return `${takers.map((index) => `pattern[${String(index)}]`).join(" and ")} take it, both`;
  const client = logins[takers[0] ?? 0]?.exec(message)?.groups?.["client"] ?? "";
  return refused === "address"
    ? `its client "${client}" is not one usable unicast address`
    : `it is refused: ${reasonTexts[refused]}`;
}

/** A pattern without a sample is one that nobody has seen at work. */
function unusedFaults(genuine: readonly Sample[], own: OwnAdapter, { logins }: Adapter): Fault[] {
  if (logins.length === 1) return [];
  return logins.flatMap((pattern, index): Fault[] =>
    genuine.some(({ entry }) => pattern.test(entry.message))
      ? []
      : [
          [
            `pattern[${String(index)}]`,
            `takes no line of must_match; give one of ${listed(own.programs)}`,
          ],
        ],
  );
}

function refusedFaults(refused: readonly Sample[], own: OwnAdapter, judge: Judge): Fault[] {
  const faults = refused.flatMap(({ key, line }): Fault[] => {
    const match = judge(line);
    return isLogin(match)
      ? [[key, `is taken for a login of ${match.user} from ${match.client}`]]
      : [];
  });
  const isOwn = ({ entry }: Sample) => own.programs.includes(entry.program);
  if (refused.length === own.must_not_match.length && !refused.some(isOwn)) {
    const which = listed(own.programs);
    faults.push([
      "must_not_match",
      `has no line of ${which}; give one that tells of a failed login`,
    ]);
  }
  return faults;
}

/** The first line for each pattern that a stranger could have written, and that grants whom he wants. */
function forgeryFaults(
  genuine: readonly Sample[],
  refused: readonly Sample[],
  own: OwnAdapter,
  adapter: Adapter,
  judge: Judge,
): Fault[] {
  // There are thousands of them, and hardly one that is taken.
  const isTaken = (message: string) => adapter.logins.some((one) => one.test(message));
  return adapter.logins.flatMap((pattern, index): Fault[] => {
    const key = keyOfPattern(own, index);
    for (const { line, entry } of genuine) {
      const groups = pattern.exec(entry.message)?.groups;
      const login = judge(line);
      if (groups === undefined || !isLogin(login)) continue;
      const texts = temptations(pattern, entry.message);
      const lines = forged(pattern, entry.message, texts)
        .filter(isTaken)
        .map((one) => around(line, entry, one));
      const found = firstLogin(lines, judge, (one) => one.client !== login.client);
      if (found !== undefined) return [[key, forgeryFault("a field", found)]];
      const failures = refused
        .filter((one) => own.programs.includes(one.entry.program))
        .flatMap((one) =>
          retold(one.entry.message, login.user, texts)
            .filter(isTaken)
            .map((message) => around(one.line, one.entry, message)),
        );
      const failed = firstLogin(failures, judge, () => true);
      if (failed !== undefined) return [[key, forgeryFault("the user of a failed login", failed)]];
    }
    return [];
  });
}

function forgeryFault(where: string, { line, client }: { line: string; client: string }): string {
  return `a stranger who writes a login's own words into ${where} chooses the client: ${JSON.stringify(line)} would grant ${client}`;
}

function firstLogin(
  lines: readonly string[],
  judge: Judge,
  isWrong: (login: Login) => boolean,
): { line: string; client: string } | undefined {
  for (const line of lines) {
    const match = judge(line);
    if (isLogin(match) && isWrong(match)) return { line, client: match.client };
  }
  return undefined;
}

/** The line with another message. */
function around(line: string, { message }: Entry, other: string): string {
  const at = line.lastIndexOf(message);
  return line.slice(0, at) + other + line.slice(at + message.length);
}

/** What a matcher of these adapters makes of a line. */
function judgeOf(...adapters: readonly Adapter[]): Judge {
  const matcher = new Matcher(adapters, { zone: "UTC" });
  return (line) => matcher.match({ bytes: Buffer.from(line), live: true }, judgedAt);
}

/** Says where the message leaves the pattern that it follows for longest; it fits none. */
function breakText(patterns: readonly RegExp[], message: string): string {
  const { at, expected } = patterns
    .map((pattern) => breakOf(pattern, message) ?? { at: 0, expected: "" })
    .reduce((best, one) => (one.at > best.at ? one : best));
  const taken = message.slice(0, at);
  return `it fits up to "${taken.slice(-shown)}", where "${expected.slice(0, shown)}" should go on, and "${message.slice(at, at + shown)}" does`;
}

function listed(texts: readonly string[]): string {
  return texts.map((text) => `"${text}"`).join(", ");
}
