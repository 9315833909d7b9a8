/** One build of a map aside: files under a name of its own, beside the live map, that nobody reads yet. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, readdir, rm, writeFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exit, PublishError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { AccessMap, Index } from "./map.ts";
import { holds, sampleOf, saysTheSame } from "./probe.ts";

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

/** Removes the files of one build. */
export async function removeBuild({ aside, index }: Pick<Built, "aside" | "index">): Promise<void> {
  const files = [aside];
  if (index !== undefined) {
    const { makes } = index;
    files.push(makes, `${makes}.tmp`, join(dirname(makes), `__db.${basename(makes)}`));
  }
  for (const file of files) await rm(file, { force: true });
}

interface BuildParts {
  readonly map: AccessMap;
  readonly run: Run;
  /** Milliseconds for the map tool. */
  readonly deadline: number;
}

/** What is to be built, and from what. */
export interface Order {
  readonly text: readonly string[];
  /** The source that stood there before; empty if that does not matter. */
  readonly before: string;
  /** The live index, if it is to be changed where it stands. */
  readonly live?: string | undefined;
  /** Whether what is built must be compared with the source even if the tool is content. */
  readonly thorough: boolean;
}

/** What a build made, complete and on the disk, to be renamed. */
export interface Built {
  readonly aside: string;
  readonly index: Index | undefined;
  /** Whether the live index has the new content already; `index.makes` is another name of it. */
  readonly inPlace: boolean;
  /** What the tool said that is not about the source. */
  readonly remarks: readonly string[];
}

/** Anybody may read a map: the MTA must, and who relays is no secret on its own host. */
export const mode = 0o644;

/**
 * Writes the source aside and has the index made of it. A live index that is to be changed where it stands gets a second name
 * aside, and the tool is given that one: it can only ever write to what this name is, so that neither an orphan of a killed
 * popgate nor a tool that hangs reaches a map that has been put there since.
 * @throws PublishError if the tool failed or made what the source does not say, its code `config` if it always will; system errors
 */
export async function build(order: Order, parts: BuildParts): Promise<Built> {
  const { map } = parts;
  const aside = asideName(map.source);
  const index = map.index?.(aside);
  const file = await open(aside, "wx", mode);
  try {
    // Before the tool runs: postmap copies the mode.
    await file.chmod(mode);
    await writeFile(file, order.text);
    if (index === undefined) {
      await file.sync();
      return { aside, index, inPlace: false, remarks: [] };
    }
    const inPlace = order.live !== undefined && (await linked(order.live, index.makes));
    // Beside the tool, which reads it from memory; both are on the disk before either gets its name.
    const [made, synced] = await Promise.allSettled([
      makeIndex(index, aside, order, inPlace, parts),
      file.sync(),
    ]);
    if (made.status === "rejected") throw made.reason;
    if (synced.status === "rejected") throw synced.reason;
    return { aside, index, inPlace, remarks: made.value };
  } catch (error) {
    await removeBuild({ aside, index }).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
}

/** Not every file system has links; without one the index is built anew. */
async function linked(live: string, name: string): Promise<boolean> {
  try {
    await link(live, name);
    return true;
  } catch {
    return false;
  }
}

async function makeIndex(
  index: Index,
  aside: string,
  { text, before, thorough }: Order,
  inPlace: boolean,
  { run, deadline }: BuildParts,
): Promise<readonly string[]> {
  const [tool] = index.argv;
  const { remarks, doubt } = await ran(index, aside, run, deadline);
  const asked = index.silent === true || thorough;
  const [, held] = await Promise.all([
    settleMade(index, inPlace),
    asked ? holds(index, sampleOf(text, before), run, deadline) : true,
  ]);
  if (!held) {
    throw new PublishError(
      `${tool} made an index that lacks what it was given; is the disk full?`,
      exit.tempFail,
    );
  }
  if (doubt === undefined && !thorough) return remarks;
  const same = await saysTheSame(index, text, run, deadline);
  // Where the tool cannot list what it made, its complaint counts, and else its word.
  if (same ?? doubt === undefined) return doubt === undefined ? remarks : [doubt];
  throw new PublishError(
    `${tool}: ${doubt ?? "its index is not what it was given"}`,
    exit.tempFail,
  );
}

async function ran(
  index: Index,
  aside: string,
  run: Run,
  deadline: number,
): Promise<{ remarks: readonly string[]; doubt?: string }> {
  const [tool] = index.argv;
  const outcome = await (index.stdin
    ? withFile(aside, (source) => run(index.argv, { deadline, input: source.fd }))
    : run(index.argv, { deadline }));
  if (outcome.missing) {
    throw new PublishError(`there is no program ${tool}; install it, or set tool`, exit.config);
  }
  const verdict = index.judge(outcome);
  if (verdict.is === "made") return verdict;
  if (verdict.is === "doubtful") return { remarks: [], doubt: verdict.why };
  throw new PublishError(`${tool}: ${verdict.why}`, verdict.forGood ? exit.config : exit.tempFail);
}

/** The file is not followed if it is a link, nor waited for if it is a pipe. One changed in place was settled by its tool. */
async function settleMade({ makes, argv: [tool] }: Index, inPlace: boolean): Promise<void> {
  if (inPlace) return;
  try {
    await withFile(makes, async (file) => {
      const status = await file.stat();
      if (!status.isFile() || status.size === 0) throw new Error("an empty file");
      await file.chmod(mode);
      await file.sync();
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
