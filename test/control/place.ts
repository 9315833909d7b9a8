/** A directory that only we can write to, for sockets, and servers in it that end with the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createHttpServer, type Handle } from "../../src/control/http.ts";
import { listenAt } from "../../src/control/socket.ts";
import { createLog } from "../../src/log.ts";
import { run } from "../../src/run.ts";

let directory: string;
let ends: (() => Promise<void>)[];
export let told: string[];

beforeEach(() => {
  // Not below the temp directory, where others can write.
  directory = mkdtempSync(join(homedir(), ".popgate-control-"));
  ends = [];
  told = [];
});

afterEach(async () => {
  for (const end of ends) await end();
  rmSync(directory, { recursive: true });
});

export function inside(name: string): string {
  return join(directory, name);
}

/** Serves at `socket` until the test, or the function that it gives, ends it. */
export async function serve(
  handle: Handle,
  path = inside("socket"),
  group?: string,
): Promise<() => Promise<void>> {
  const log = createLog(systemClock, (line) => void told.push(line));
  const listening = await listenAt(createHttpServer(handle, log), { path, group }, run);
  const end = () => listening.close();
  ends.push(end);
  return end;
}
