/** `node --import held.mjs main.js run`: tells at its end for how long popgate held the loop at most while it caught up. */

const write = process.stderr.write.bind(process.stderr);
let catchingUp = false;
let before;
let longest = 0;

/** Once a turn. What took no CPU time was spent by other programs, on a machine that is shared. */
function turn() {
  const now = { wall: performance.now(), cpu: process.cpuUsage() };
  if (before !== undefined) {
    const { user, system } = process.cpuUsage(before.cpu);
    longest = Math.max(longest, Math.min(now.wall - before.wall, (user + system) / 1000));
  }
  before = now;
  if (catchingUp) setImmediate(turn);
}

// Earlier its modules are loaded, which nobody waits for.
process.stderr.write = (text, ...rest) => {
  if (text.startsWith("following ")) {
    catchingUp = true;
    turn();
  }
  if (text.startsWith("caught up ")) catchingUp = false;
  return write(text, ...rest);
};
process.on("exit", () => write(`loop held for ${longest.toFixed(1)} ms\n`));
