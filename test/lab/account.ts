/** The system accounts that the daemons' packages make. */

import { readFileSync } from "node:fs";

/** The user id of an account. */
export function userId(name: string): number {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  if (id === undefined) throw new Error(`no account named ${name}`);
  return Number(id);
}
