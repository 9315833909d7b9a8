/** `popgate setup`: proposes a config for this host, and says what to put into the MTA; writes nothing that it is not told to. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { adapters } from "../adapters/index.ts";
import { parseConfig } from "../config.ts";
import { ConfigError, exit, PublishError, reasonOf, type ExitCode } from "../errors.ts";
import type { MtaFacts } from "../facts.ts";
import { completeMaps } from "../host.ts";
import { createMap, mtas } from "../maps/index.ts";
import { refusesRelaying, withTable } from "../maps/restrictions.ts";
import { defaultConfigFile } from "../paths.ts";
import { propose, type Proposal } from "../proposal.ts";
import { replaceFile } from "../replace.ts";
import { hostFiles, surveyHost, type Files } from "../survey.ts";
import type { Outside } from "./command.ts";

interface SetupOptions {
  /** True for the default config. */
  readonly write?: string | true | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** The lines for the MTA, under a title. */
interface Advice {
  readonly title: string;
  readonly lines: readonly string[];
}

/**
 * Prints the proposal, and tells what it rests on and what comes next. Nothing of the MTA's is ever changed.
 * @throws PublishError if the file is there and differs, unless forced, or cannot be written
 */
export async function setup(
  options: SetupOptions,
  outside: Outside,
  files: Files = hostFiles,
): Promise<ExitCode> {
  const { run, clock, print, tell } = outside;
  const facts = await surveyHost({ run, files, adapters, now: clock.now() });
  const proposal = propose(facts, adapters, mtas);
  const advice = await adviceFor(proposal, outside);
  if (options.json === true) {
    const { text: config, notes, mta } = proposal;
    print(`${JSON.stringify({ config, mta: mta?.mta, advice: advice.lines, notes })}\n`);
  } else {
    print(proposal.text);
    for (const note of proposal.notes) tell(`note: ${note}\n`);
    tell([advice.title, ...advice.lines.map((line) => `    ${line}`), ""].join("\n"));
  }
  const file = options.write === true ? defaultConfigFile : options.write;
  if (file === undefined) {
    tell(`nothing is written; \`popgate setup --write\` writes this to ${defaultConfigFile}\n`);
    return exit.ok;
  }
  const path = isAbsolute(file) ? file : resolve(file);
  await write(path, proposal.text, options.force === true, tell);
  const named = path === defaultConfigFile ? "" : ` --config ${path}`;
  tell(
    `next: \`popgate withdraw${named}\` makes the table, empty; then the lines above; then \`popgate check${named}\`\n`,
  );
  return exit.ok;
}

async function adviceFor({ text, mta }: Proposal, { run }: Outside): Promise<Advice> {
  const { map } = parseConfig(
    text,
    "the proposal",
    adapters.map(({ name }) => name),
  );
  try {
    const [settings] = await completeMaps(map, run);
    if (settings === undefined) return { title: "no map", lines: [] };
    const own = createMap(settings);
    const now = mta?.restrictions;
    // A list with braces in it is better put together by who wrote it.
    if (now !== undefined && !/[{}]/.test(`${now.relay}${now.recipient}`)) {
      return postfixAdvice(own.name, now);
    }
    return { title: `the configuration of ${settings.mta} needs:`, lines: own.advice };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { title: error.message, lines: [] };
  }
}

/** Postfix's own restrictions, with the table in them. */
function postfixAdvice(
  table: string,
  { relay, recipient }: NonNullable<MtaFacts["restrictions"]>,
): Advice {
  const lists = [
    ["smtpd_relay_restrictions", relay, true],
    ["smtpd_recipient_restrictions", recipient, refusesRelaying(recipient)],
  ] as const;
  const lines = lists.flatMap(([name, value, matters]) => {
    const right = withTable(value, table);
    return matters && right !== value ? [`${name} = ${right}`] : [];
  });
  return lines.length === 0
    ? { title: "main.cf asks the table already, in the right place", lines }
    : { title: "main.cf needs, in place of what it has:", lines };
}

async function write(
  file: string,
  text: string,
  force: boolean,
  tell: (text: string) => void,
): Promise<void> {
  const former = formerText(file);
  if (former === text) {
    tell(`${file} says so already\n`);
    return;
  }
  const lost = former === undefined ? [] : lostLines(former, text);
  if (former !== undefined && !force) {
    const what =
      lost.length === 0
        ? "nothing but comments would be lost"
        : `these lines of it would be lost:\n${lost.join("\n")}`;
    throw new PublishError(`${file} is there; --force replaces it, and ${what}`);
  }
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    await replaceFile(file, 0o644, [text]);
  } catch (error) {
    throw new PublishError(`${file}: ${reasonOf(error)}`);
  }
  tell(`${file} is written\n`);
  for (const line of lost) tell(`lost: ${line}\n`);
}

function formerText(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new PublishError(`${file}: ${reasonOf(error)}`);
  }
}

/** The lines of the former text that say something and that the new one does not have. */
function lostLines(former: string, text: string): string[] {
  const kept = new Set(text.split("\n").map((line) => line.trim()));
  return former
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#") && !kept.has(line));
}
