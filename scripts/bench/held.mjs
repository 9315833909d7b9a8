/** `node --import held.mjs main.js run`: tells at its end for how long popgate held the loop at most while it caught up. */

import { monitorEventLoopDelay } from "node:perf_hooks";

const delay = monitorEventLoopDelay({ resolution: 1 });
const write = process.stderr.write.bind(process.stderr);

// Earlier its modules are loaded, which nobody waits for.
process.stderr.write = (text, ...rest) => {
  if (text.startsWith("following ")) delay.enable();
  if (text.startsWith("caught up ")) delay.disable();
  return write(text, ...rest);
};
process.on("exit", () => write(`loop held for ${(delay.max / 1e6).toFixed(1)} ms\n`));
