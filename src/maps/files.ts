/** What stands on disk where a map is to be: whether it is popgate's own. */
import { constants, lstatSync, statSync } from "node:fs";
import { lstat, open } from "node:fs/promises";
import type { Stats } from "node:fs";
import { codeOf, exit, PublishError } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import type { AccessMap } from "./map.ts";
import { mark } from "./text.ts";

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

/** The file that the MTA reads. */
export function liveOf({ index, source }: AccessMap): string {
  return index?.(source).live ?? source;
}

/** All that may be found of a map. */
export function filesOf(map: AccessMap): string[] {
  return [map.source, liveOf(map)];
}

/** What cannot even be looked at is as good as gone: the write tells why. */
export function foundAt(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch {
    return undefined;
  }
}

/** Whether a directory is there no longer. */
export function isGone(directory: string): boolean {
  try {
    statSync(directory);
    return false;
  } catch (error) {
    // Out of reach is not gone.
    return codeOf(error) === "ENOENT";
  }
}

/** The identity of a file that is not there. */
export const none = "none";

/** Changes whenever somebody writes to a file, replaces it, or changes its owner, mode or links. */
export function identityOf(status: Stats | undefined): string {
  if (status === undefined) return none;
  const { size, ctimeMs } = status;
  return [inodeOf(status), size, ctimeMs].join(" ");
}

/** Changes when a file is replaced by another; numbers of inodes are given again. */
export function inodeOf(status: Stats | undefined): string {
  if (status === undefined) return none;
  const { dev, ino, birthtimeMs } = status;
  return [dev, ino, birthtimeMs].join(" ");
}

/** The exit code of a system error: a place that cannot be written, or a trouble that may pass. */
export function exitCodeOf(error: unknown): ExitCode {
  const lasting = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "ELOOP"];
  return lasting.includes(codeOf(error) ?? "") ? exit.cannotCreate : exit.tempFail;
}

function foreign(file: string, why: string): PublishError {
  return unsafe(`${file} ${why}; choose another path, or remove it if nothing needs it`);
}

function unsafe(message: string): PublishError {
  return new PublishError(message, exit.config);
}
