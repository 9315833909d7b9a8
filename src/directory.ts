/** The directories that popgate keeps things in: there, ours, and closed to others. */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, mkdir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { codeOf, exit, PublishError, reasonOf } from "./errors.ts";

const othersMayWrite = 0o022;
const sticky = 0o1000;
const ownPlace = "use a directory of popgate's own, such as /var/lib/popgate";

/**
 * Makes the directory if it is missing (mode 0755: an MTA reads maps below it), and makes sure that it is safe.
 * @throws PublishError
 */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new PublishError(`state_dir ${directory} cannot be made: ${reasonOf(error)}`);
  }
  await inspectDirectory(directory);
}

/**
 * Makes sure that nobody but root and us can put files into this directory, or move it or one above it away. A sticky
 * bit saves the directories above it, but not itself: in a directory like the temp directory anybody could put a map
 * of theirs there first.
 * @throws PublishError, its code `cannotCreate` if there is no such directory, `config` if it is not safe
 */
export async function inspectDirectory(directory: string): Promise<void> {
  await inspectItself(directory);
  await inspectWay(directory, []);
}

/**
 * Makes sure that nobody but root, us, and these users can move the directory or one above it away, or say by a link where it is.
 * @throws PublishError as `inspectDirectory`; a system error if it is missing
 */
export async function inspectWay(directory: string, owners: readonly number[]): Promise<void> {
  const trusted = [0, process.geteuid?.() ?? 0, ...owners];
  await inspectAncestors(dirname(await realpath(directory)), directory, trusted);
  await inspectLinks(directory, trusted);
}

/**
 * Makes sure that nobody but root and us can put files into this directory. Whether it can be moved away is not looked at: who
 * can do that to one of logs can write the logs that are followed (on Ubuntu `/var/log` is the group syslog's, too).
 * Gives its path without links.
 * @throws PublishError as `inspectDirectory`
 */
export async function inspectItself(directory: string): Promise<string> {
  const us = process.geteuid?.() ?? 0;
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
  if (own.uid !== us) {
    throw unsafe(
      `${directory} belongs to user ${String(own.uid)}, and popgate runs as ${String(us)}; run it as that user, or ${ownPlace}`,
      own.uid === 0 ? exit.cannotCreate : exit.config,
    );
  }
  return real;
}

/** Whether it is for another user to write to this directory. One that is missing is nobody's. */
export function isAnothers(directory: string): boolean {
  try {
    return statSync(directory).uid !== process.geteuid?.();
  } catch (error) {
    return codeOf(error) !== "ENOENT";
  }
}

/**
 * As root, becomes the user that the directory belongs to, for good: root has no business among the files of somebody who may
 * plant links there. Does nothing for anybody else, nor if the directory is missing or root's.
 */
export function actAsOwnerOf(directory: string): void {
  if (process.geteuid?.() !== 0) return;
  let owner: Stats;
  try {
    owner = statSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw new PublishError(`${directory}: ${reasonOf(error)}`);
  }
  if (owner.uid === 0) return;
  // The types of Node 20 lack initgroups.
  const us = process as NodeJS.Process & { initgroups?(user: number, group: number): void };
  try {
    us.initgroups?.(owner.uid, owner.gid);
  } catch {
    // A user that no database knows has no other groups.
    us.setgroups?.([owner.gid]);
  }
  us.setgid?.(owner.gid);
  us.setuid?.(owner.uid);
}

/** Who can put another link into the place of one on the way says where the way leads. */
async function inspectLinks(directory: string, owners: readonly number[]): Promise<void> {
  const names = directory.split("/");
  let at = "/";
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(at, name);
    const status = await lstat(next);
    if (!status.isSymbolicLink()) {
      at = next;
      continue;
    }
    await inspectAncestors(at, directory, owners);
    if (!owners.includes(status.uid)) {
      throw unsafe(
        `user ${String(status.uid)} says where ${directory} is: the link ${next} is his; ${ownPlace}`,
      );
    }
    const target = await readlink(next);
    if (isAbsolute(target)) at = "/";
    names.unshift(...target.split("/"));
  }
}

async function inspectAncestors(
  nearest: string,
  directory: string,
  owners: readonly number[],
): Promise<void> {
  for (let above = nearest; ; above = dirname(above)) {
    await inspectAncestor(above, directory, owners);
    if (above === "/") break;
  }
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

function unsafe(message: string, code: 73 | 78 = exit.config): PublishError {
  return new PublishError(message, code);
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
