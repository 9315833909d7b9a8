/** The control socket as a file: where it is, who may open it, and that it is never somebody else's. */
import { lstatSync, type Stats } from "node:fs";
import { chmod, chown, lstat, mkdtemp, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Server } from "node:http";
import { connect, type ListenOptions } from "node:net";
import { basename, dirname, join } from "node:path";
import { inspectDirectory } from "../directory.ts";
import { codeOf, exit, KnownError, reasonOf } from "../errors.ts";
import type { Run } from "../run.ts";

interface Place {
  readonly path: string;
  /** Whose members may ask and order, besides the owner: a name or a number; nobody without it. */
  readonly group?: string | undefined;
}

/** A server that listens. */
export interface Listening {
  /** False once the file is gone that it can be reached by. */
  stands(): boolean;
  close(): Promise<void>;
}

/** Milliseconds. */
const connectTime = 2000;

/**
 * A path that names the same file through an open descriptor of its directory: a socket's path may have 107 bytes only, and
 * a directory that is exchanged meanwhile does not matter.
 */
export function through(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${String(directory.fd)}/${name}`;
}

/**
 * Makes the server listen at this path, mode 0600, or 0660 with a group. It comes into being in a directory that is closed to
 * others, and gets its name when its mode is right; what a dead popgate left there is replaced. Gives what ends it.
 * @throws KnownError if the place is not safe, or taken: by a popgate that lives, or by a file that is no socket
 */
export async function listenAt(
  server: Server,
  { path, group }: Place,
  run: Run,
): Promise<Listening> {
  await inspectDirectory(dirname(path));
  await requireFree(path);
  const gid = group === undefined ? undefined : await gidOf(group, run);
  let own: Stats | undefined;
  const isOwn = (found: Stats | undefined) => found?.ino === own?.ino && found?.dev === own?.dev;
  const aside = await mkdtemp(join(dirname(path), `.${basename(path)}.`));
  const directory = await open(aside, "r");
  try {
    await listening(server, { path: through(directory, "socket") });
    const socket = join(aside, "socket");
    // The group first: its members get in with the mode.
    if (gid !== undefined) await chown(socket, -1, gid);
    await chmod(socket, gid === undefined ? 0o600 : 0o660);
    own = await lstat(socket);
    await rename(socket, path);
  } catch (error) {
    server.close();
    await directory.close();
    throw new KnownError(`control socket ${path}: ${reasonOf(error)}`, exit.cannotCreate);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return {
    stands: () => isOwn(lstatSync(path, { throwIfNoEntry: false })),
    close: async () => {
      try {
        const found = lstatSync(path, { throwIfNoEntry: false });
        if (isOwn(found)) await rm(path, { force: true });
        else if (found !== undefined) {
          throw new KnownError(`something else stands at ${path} by now`, exit.cannotCreate);
        }
      } finally {
        endOf(server);
        // Node removes a socket by the path that it was bound to: until here that led into a directory that is gone.
        await directory.close();
      }
    },
  };
}

/**
 * Makes the server listen on `address:port`, IPv6 in brackets. Gives what ends it.
 * @throws KnownError if that address is taken, or not this host's
 */
export async function listenOn(server: Server, address: string): Promise<Listening> {
  const { hostname, port } = new URL(`tcp://${address}`);
  try {
    await listening(server, { host: hostname.replace(/[[\]]/g, ""), port: Number(port) });
  } catch (error) {
    throw new KnownError(`metrics.listen ${address}: ${reasonOf(error)}`, exit.cannotCreate);
  }
  return { stands: () => true, close: async () => endOf(server) };
}

/** Nobody gets in any more. Who was asking when a reload, perhaps his own, moved the socket, still gets his answer. */
function endOf(server: Server): void {
  server.close();
  server.closeIdleConnections();
}

async function listening(server: Server, where: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      // A connection that cannot be accepted, for want of descriptors, is the client's loss.
      server.on("error", () => {});
      resolve();
    });
  });
}

async function requireFree(path: string): Promise<void> {
  let status: Stats;
  try {
    status = await lstat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw new KnownError(`control socket ${path}: ${reasonOf(error)}`, exit.cannotCreate);
  }
  if (!status.isSocket()) {
    throw new KnownError(
      `control socket ${path}: something else stands there; remove it, or choose another path`,
      exit.config,
    );
  }
  if (await answers(path)) {
    throw new KnownError(
      `control socket ${path}: another popgate listens there; give this one a path of its own`,
      exit.config,
    );
  }
}

/** Whether anybody listens there. One that is too busy to accept lives. */
async function answers(path: string): Promise<boolean> {
  const directory = await open(dirname(path), "r");
  try {
    return await new Promise((resolve) => {
      const socket = connect(through(directory, basename(path)));
      const end = (lives: boolean) => {
        socket.destroy();
        resolve(lives);
      };
      socket.setTimeout(connectTime, () => end(true));
      socket.once("connect", () => end(true));
      socket.once("error", (error) => end(codeOf(error) !== "ECONNREFUSED"));
    });
  } finally {
    await directory.close();
  }
}

/** The number of a group. @throws KnownError if there is no such group */
async function gidOf(group: string, run: Run): Promise<number> {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const found = await run(["getent", "group", group]);
  const gid = /^[^:]*:[^:]*:(\d+):/.exec(found.stdout)?.[1];
  if (found.ok && gid !== undefined) return Number(gid);
  throw new KnownError(`control.group: there is no group "${group}"`, exit.config);
}
