/** `popgate match --explain`: walks one line through prefix, dispatch, pattern and client, and tells what is made of it. */
import { tagsOf, type Adapter } from "../adapters/adapter.ts";
import { partOf } from "../adapters/correlate.ts";
import { entryOf, formatOf, longestEntry } from "../adapters/entry.ts";
import { breakOf } from "../adapters/fit.ts";
import { isLogin, Matcher, type Refusal } from "../adapters/matcher.ts";
import { reasonTexts } from "../adapters/refusal.ts";
import { exit, UsageError, type ExitCode } from "../errors.ts";
import { hostZone } from "../host.ts";
import type { Entry, Login } from "../model.ts";
import { readLines } from "../sources/reader.ts";
import type { Outside } from "./command.ts";
import { shown } from "./shown.ts";

interface Chosen {
  /** All adapters that there are. */
  readonly all: readonly Adapter[];
  /** Those of them that count. */
  readonly own: readonly Adapter[];
}

/** A line, and what the lines before it and itself come to. */
interface Found {
  readonly text: string;
  readonly bytes: number;
  /** What its stamp means: ms since 1970. */
  readonly time: number | undefined;
  readonly match: Login | Refusal | undefined;
}

/** Characters of a pattern that are shown. */
const longestPattern = 60;

/**
 * Explains the line with the given number, counted from 1, of the only log.
 * @throws UsageError if there are several logs, or there is no such line; SourceError if the log cannot be read
 */
export async function explainLine(
  logs: readonly string[],
  number: string,
  { all, own }: Chosen,
  outside: Outside,
): Promise<ExitCode> {
  const wanted = /^[1-9]\d{0,11}$/.test(number) ? Number(number) : undefined;
  if (wanted === undefined)
    throw new UsageError(`--explain: "${number}" is not the number of a line, from 1 on`);
  const [log = "-", ...others] = logs;
  if (others.length > 0)
    throw new UsageError("--explain: name one log, to which the number belongs");
  const found = await find(log, wanted, own, outside);
  const steps = stepsOf(found, { all, own });
  outside.print(
    [`line ${String(wanted)} of ${log}`, `  ${shown(found.text)}`, ...steps, ""].join("\n"),
  );
  return isLogin(found.match) ? exit.ok : exit.no;
}

/** Reads from the start: a login may take two lines. */
async function find(
  log: string,
  wanted: number,
  adapters: readonly Adapter[],
  { clock, input }: Outside,
): Promise<Found> {
  const matcher = new Matcher(adapters, { zone: hostZone() });
  const now = clock.now();
  let found: Found | undefined;
  const { lines } = await readLines(
    log === "-" ? input() : log,
    () => true,
    (line) => {
      if (line.number > wanted) return;
      const match = matcher.match(line, now);
      if (line.number < wanted) return;
      const { bytes } = line;
      found = {
        text: bytes.toString(),
        bytes: bytes.length,
        time: matcher.timeOf(bytes, now),
        match,
      };
    },
  );
  if (found === undefined) {
    throw new UsageError(
      `--explain: ${log} has ${String(lines)} whole lines, or line ${String(wanted)} is longer than 64 KiB`,
    );
  }
  return found;
}

function stepsOf({ text, bytes, time, match }: Found, { all, own }: Chosen): string[] {
  const verdict = verdictOf(match);
  const entry = entryOf(text);
  if (entry === undefined) {
    return [
      step(
        "prefix",
        "it begins like none of the logs that popgate knows, so nobody can tell which program wrote it",
      ),
      verdict,
    ];
  }
  const { stamp = "none", host = "none", program, pid = "none" } = entry;
  const moment = time === undefined ? "" : ` (${new Date(time).toISOString()})`;
  const prefix = `${formatOf(text) ?? ""}: stamp ${stamp}${moment}, host ${shown(host)}, program ${shown(program)}, pid ${String(pid)}`;
  const of = all.filter((adapter) => tagsOf(adapter).some(([tag]) => tag === program));
  const on = of.filter((adapter) => own.includes(adapter));
  const off = of.filter((adapter) => !own.includes(adapter)).map(({ name }) => name);
  const names = on.map(({ name }) => name).join(", ");
  const known =
    on.length === 0
      ? `no adapter that is on knows the program ${shown(program)}`
      : `${shown(program)} is a program of ${names}`;
  return [
    step(
      "length",
      bytes > longestEntry
        ? `${String(bytes)} bytes: a line over ${String(longestEntry)} is never a login`
        : `${String(bytes)} bytes`,
    ),
    step("prefix", prefix),
    step("message", shown(entry.message)),
    step(
      "dispatch",
      off.length === 0 ? known : `${known}; these know it, too, and are off: ${off.join(", ")}`,
    ),
    ...on.flatMap((adapter) => adapterSteps(adapter, entry)),
    verdict,
  ];
}

function adapterSteps(adapter: Adapter, entry: Entry): string[] {
  const { name, markers, opening, logins, correlate, doubt } = adapter;
  const { message } = entry;
  const marker = markers.find((one) => message.includes(one));
  const own = (text: string) => step(name, text);
  if (marker === undefined) {
    return [
      own(
        `holds none of its markers (${markers.map((one) => JSON.stringify(one)).join(", ")}): not looked at any further`,
      ),
    ];
  }
  const steps = [own(`holds its marker ${JSON.stringify(marker)}`)];
  const part = correlate && partOf(name, correlate, entry);
  if (part !== undefined && part.kind !== "second") {
    const what =
      part.kind === "first"
        ? "the first of two lines of a login: it tells the client"
        : "the end of a login that takes two lines";
    return [...steps, own(`it is ${what}`)];
  }
  if (opening !== undefined && !opening.test(message)) {
    return [
      ...steps,
      own(`does not begin as its logins do (${opening.source.slice(0, longestPattern)})`),
    ];
  }
  const patterns = [...logins, ...(correlate?.second ?? [])];
  for (const [index, pattern] of patterns.entries()) {
    const which = patterns.length === 1 ? "its pattern" : `its pattern ${String(index + 1)}`;
    const broke = breakOf(pattern, message);
    if (broke === undefined) {
      const fields = Object.entries(pattern.exec(message)?.groups ?? {}).map(
        ([field, value]) => `${field} ${JSON.stringify(shown(value ?? ""))}`,
      );
      steps.push(own(`${which} takes the whole message: ${fields.join(", ")}`));
    } else {
      steps.push(
        own(`${which} stops to fit behind ${String(broke.at)} characters:`),
        `              ${shown(message.slice(Math.max(0, broke.at - 40), broke.at))}`,
        `              here stands ${JSON.stringify(shown(message.slice(broke.at, broke.at + 40)))}, and the pattern wants ${broke.expected.slice(0, longestPattern)}`,
      );
    }
  }
  const reason = doubt?.(message);
  return reason === undefined ? steps : [...steps, own(`in doubt: ${reasonTexts[reason]}`)];
}

function verdictOf(match: Login | Refusal | undefined): string {
  if (match === undefined) return step("verdict", "no login");
  if (!isLogin(match))
    return step("verdict", `refused, by ${match.adapter}: ${reasonTexts[match.refused]}`);
  const { adapter, service, user, client, at } = match;
  return step(
    "verdict",
    `a login, by ${adapter}: ${service}, user ${shown(user)}, client ${client}, at ${new Date(at).toISOString()}`,
  );
}

function step(title: string, text: string): string {
  return `  ${title.padEnd(10)}  ${text}`;
}
