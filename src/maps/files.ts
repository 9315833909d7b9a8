/** What stands on disk where a map is to be: whether it is safe to write there, and whether it is popgate's own. */
import { constants } from "node:fs";
import { lstat, open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Stats } from "node:fs";
import { codeOf, exit, PublishError, reasonOf } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import { mark } from "./text.ts";

/** Who may own what is written: the directory's owner, if popgate is root and somebody else owns it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const othersMayWrite = 0o022;
const sticky = 0o1000;
const ownPlace = "use a directory of popgate's own, such as /var/lib/popgate";

/**
 * Makes sure that nobody but root and the user `uid` can put files into this directory, or move it or one above it
 * away. A sticky bit saves the directories above it, but not itself: in a directory like the temp directory anybody
 * could put a map of theirs there first. Gives the owner that its files must get, or undefined if that is us.
 * @throws PublishError, its code `cannotCreate` if there is no such directory, `config` if it is not safe
 */
export async function inspectDirectory(directory: string, uid: number): Promise<Owner | undefined> {
  const real = await realpath(directory).catch((error: unknown) => {
    throw new PublishError(`${directory}: ${reasonOf(error)}; make it, for popgate's user`);
  });
  const own = await stat(real);
  if (!own.isDirectory()) throw new PublishError(`${directory} is not a directory`);
  if ((own.mode & othersMayWrite) !== 0) {
    throw unsafe(
      `others can write to ${directory} (mode ${modeOf(own)}); chmod go-w it, or ${ownPlace}`,
    );
  }
  if (own.uid !== 0 && own.uid !== uid) throw foreignDirectory(directory, own, uid);
  for (let above = dirname(real); ; above = dirname(above)) {
    await inspectAncestor(above, directory, [0, uid]);
    if (above === "/") break;
  }
  const foreign = process.geteuid?.() === 0 && own.uid !== 0;
  return foreign ? { uid: own.uid, gid: own.gid } : undefined;
}

async function inspectAncestor(
  above: string,
  directory: string,
  owners: readonly number[],
): Promise<void> {
  const status = await stat(above);
  const writable = (status.mode & othersMayWrite) !== 0 && (status.mode & sticky) === 0;
  if (!writable && owners.includes(status.uid)) return;
  throw unsafe(
    `others can replace ${directory}, since ${above} is not theirs to keep out of (owner ${String(status.uid)}, mode ${modeOf(status)}); ${ownPlace}`,
  );
}

/**
 * Makes sure that the map that stands there, if any, is one that popgate wrote: what an admin keeps by hand is never
 * overwritten. `known` says whether an index without its source is the one that this process made.
 * Gives the status of the live index, or undefined if there is none.
 * @throws PublishError, its code `config`, saying to choose another path
 */
export async function inspectLive(
  source: string,
  index: string | undefined,
  known: (index: Stats) => boolean,
): Promise<{ hasSource: boolean; index: Stats | undefined }> {
  const hasSource = await isOwnSource(source);
  const status = index === undefined ? undefined : await statusOf(index);
  if (index === undefined || status === undefined) return { hasSource, index: undefined };
  if (!status.isFile()) throw foreign(index, "is not a regular file");
  if (!hasSource && !known(status)) {
    throw foreign(index, `stands there without ${source}, so that popgate did not make it`);
  }
  return { hasSource, index: status };
}

/** An empty file counts as popgate's own: there is nothing in it to lose. */
async function isOwnSource(source: string): Promise<boolean> {
  const status = await statusOf(source);
  if (status === undefined) return false;
  if (!status.isFile()) throw foreign(source, "is not a regular file");
  const handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const start = Buffer.alloc(mark.length);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    if (bytesRead > 0 && start.toString("latin1", 0, bytesRead) !== mark) {
      throw foreign(source, "was not written by popgate");
    }
  } finally {
    await handle.close();
  }
  return true;
}

/** Gives the status of a file itself, never of what a link points to; undefined if there is none. */
export async function statusOf(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The exit code of a system error: a place that cannot be written, or a trouble that may pass. */
export function exitCodeOf(error: unknown): ExitCode {
  const lasting = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "ELOOP"];
  return lasting.includes(codeOf(error) ?? "") ? exit.cannotCreate : exit.tempFail;
}

function foreignDirectory(directory: string, { uid: owner }: Stats, uid: number): PublishError {
  return unsafe(
    `${directory} belongs to user ${String(owner)}, and popgate runs as ${String(uid)}; run it as that user, or ${ownPlace}`,
  );
}

function foreign(file: string, why: string): PublishError {
  return unsafe(`${file} ${why}; choose another path, or remove it if nothing needs it`);
}

function unsafe(message: string): PublishError {
  return new PublishError(message, exit.config);
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
