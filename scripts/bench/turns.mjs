/** `TURNS=SOCKET node --import turns.mjs main.js run`: says on that socket for how many ms the loop was held at most since it was asked last. */

import { createServer } from "node:net";

let before = moment();
let longest = 0;

function moment() {
  return { wall: performance.now(), cpu: process.cpuUsage() };
}

/** Once a turn. What took no CPU time was spent by other programs, on a machine that is shared. */
function turn() {
  const { user, system } = process.cpuUsage(before.cpu);
  longest = Math.max(longest, Math.min(performance.now() - before.wall, (user + system) / 1000));
  before = moment();
  setImmediate(turn).unref();
}

const server = createServer((socket) => {
  socket.end(String(longest));
  longest = 0;
});
server.listen(process.env.TURNS).unref();
// An immediate that is not waited for would let the loop sleep.
setInterval(() => {}, 1).unref();
turn();
