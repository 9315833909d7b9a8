/** One build of a map aside: files under a name of its own, beside the live map, that nobody reads yet. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rm, writeFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exit, PublishError } from "../errors.ts";
import type { Outcome, Run } from "../run.ts";
import type { AccessMap, Index } from "./map.ts";

/** Names that no build ever shares: an orphaned tool cannot write into a later build, nor trip over an earlier one's files. */
function asideName(source: string): string {
  const token = randomBytes(8).toString("hex");
  return join(dirname(source), `.${basename(source)}.popgate-${token}`);
}

/**
 * Removes what builds of this map left behind, their tools' own temporary files too: OpenSMTPD's makemap has one with eleven
 * characters of mkstemp(3), and Berkeley DB's `__db.NAME` makes the next build onto that name hang. Call it under the map's lock only.
 */
export async function removeBuilds(source: string): Promise<void> {
  const directory = dirname(source);
  const name = basename(source).replaceAll(/[.+]/g, String.raw`\$&`);
  const pattern = new RegExp(
    String.raw`^(?:__db\.)?\.${name}\.popgate-[0-9a-f]{16}(?:\.(?:db|cdb|lmdb|cdb\.tmp|db\.[0-9A-Za-z]{11}))?$`,
  );
  for (const file of await readdir(directory)) {
    if (pattern.test(file)) await rm(join(directory, file), { force: true });
  }
}

interface BuildParts {
  readonly map: AccessMap;
  readonly run: Run;
  /** Milliseconds for the map tool. */
  readonly deadline: number;
}

/** What a build made, complete and on the disk, to be renamed. */
export interface Built {
  readonly aside: string;
  readonly index: Index | undefined;
  /** What the tool said that is not about the source. */
  readonly remarks: readonly string[];
}

/** Anybody may read a map: the MTA must, and who relays is no secret on its own host. */
const mode = 0o644;

/**
 * Writes the source aside and has the index made of it.
 * @throws PublishError if the tool failed or made what the source does not say, its code `config` if it always will; system errors
 */
export async function build(text: readonly string[], parts: BuildParts): Promise<Built> {
  const { map } = parts;
  const aside = asideName(map.source);
  const file = await open(aside, "wx", mode);
  try {
    await writeFile(file, text);
    // Before the tool runs: postmap copies the mode.
    await settle(file);
  } finally {
    await file.close();
  }
  const index = map.index?.(aside);
  const remarks = index === undefined ? [] : await makeIndex(index, aside, text, parts);
  return { aside, index, remarks };
}

async function makeIndex(
  index: Index,
  aside: string,
  text: readonly string[],
  { run, deadline }: BuildParts,
): Promise<readonly string[]> {
  const [tool] = index.argv;
  const ask = (argv: Index["argv"], input?: FileHandle): Promise<Outcome> =>
    run(argv, { deadline, ...(input === undefined ? {} : { input: input.fd }) });
  const outcome = await (index.stdin
    ? withFile(aside, (source) => ask(index.argv, source))
    : ask(index.argv));
  if (outcome.missing) {
    throw new PublishError(`there is no program ${tool}; install it, or set tool`, exit.config);
  }
  const verdict = index.judge(outcome);
  if (verdict.is === "failed") {
    throw new PublishError(
      `${tool}: ${verdict.why}`,
      verdict.forGood ? exit.config : exit.tempFail,
    );
  }
  const [, held] = await Promise.all([settleMade(index), holdsLastKey(index, text, ask)]);
  if (!held) {
    throw new PublishError(`${tool} made an index that lacks what it was given`, exit.tempFail);
  }
  if (verdict.is === "made") return verdict.remarks;
  if (!(await saysTheSame(index, text, ask))) {
    throw new PublishError(`${tool}: ${verdict.why}`, exit.tempFail);
  }
  return [verdict.why];
}

/** The file is not followed if it is a link, nor waited for if it is a pipe. */
async function settleMade({ makes, argv: [tool] }: Index): Promise<void> {
  try {
    await withFile(makes, async (file) => {
      const status = await file.stat();
      if (!status.isFile() || status.size === 0) throw new Error("an empty file");
      await settle(file);
    });
  } catch (error) {
    throw new PublishError(`${tool} made no index`, exit.tempFail, { cause: error });
  }
}

async function withFile<T>(file: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

/** Sets the mode on purpose, and brings the file to the disk. */
async function settle(file: FileHandle): Promise<void> {
  await file.chmod(mode);
  await file.sync();
}

async function holdsLastKey(
  { probe }: Index,
  text: readonly string[],
  ask: (argv: Index["argv"]) => Promise<Outcome>,
): Promise<boolean> {
  const lastLine =
    text
      .findLast((piece) => piece !== "")
      ?.trimEnd()
      .split("\n")
      .at(-1) ?? "#";
  if (probe === undefined || lastLine.startsWith("#")) return true;
  const found = await ask(probe(lastLine.split("\t", 1)[0] ?? ""));
  return found.ok && found.stdout !== "";
}

/** Compares what is in the index with the source; a map tool folds keys to lower case, and lists in an order of its own. */
async function saysTheSame(
  { dump }: Index,
  text: readonly string[],
  ask: (argv: Index["argv"]) => Promise<Outcome>,
): Promise<boolean> {
  if (dump === undefined) return false;
  const listed = await ask(dump);
  return listed.ok && entriesOf(listed.stdout) === entriesOf(text.join(""));
}

function entriesOf(text: string): string {
  const lines = text.toLowerCase().split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .sort()
    .join("\n");
}
