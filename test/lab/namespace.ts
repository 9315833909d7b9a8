/** A namespace of the kernel for one daemon: its mounts and processes are its own and end with it. */

import type { Argv } from "./child.ts";

// With --kill-child, killing unshare (which passes no milder signal on) ends everything that is inside.
const kinds = "--mount --uts --pid --fork --kill-child --propagation private".split(" ");

/** The command that runs a fixed shell script, with these values as $1, $2 ..., in namespaces of its own. */
export function isolated(script: string, ...values: string[]): Argv {
  return ["unshare", ...kinds, "sh", "-ec", script, "sh", ...values];
}

/** The same, but only the mounts are its own, and the script ends by becoming `argv`. */
export function withMounts(script: string, value: string, argv: Argv): Argv {
  const mounts = "--mount --propagation private".split(" ");
  return ["unshare", ...mounts, "sh", "-ec", script, "sh", value, ...argv];
}
