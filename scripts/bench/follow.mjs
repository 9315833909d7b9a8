/** How long a line takes from the write() of another process until a file source delivers it, across rotations too. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { Child } from "./child.mjs";
import { percentile } from "./figures.mjs";
import { aim, printTable } from "./table.mjs";

const scripts = {
  writer: fileURLToPath(new URL("writer.mjs", import.meta.url)),
  follower: fileURLToPath(new URL("follower.mjs", import.meta.url)),
};
/** Milliseconds. */
const aims = { steady: 5, bursts: 20, rotation: 50 };
/** Milliseconds until what was written last must have come, however late. */
const patience = 1000;

/** Prints the figures; resolves to whether every line came once, in order. */
export async function measureFollow(directory) {
  const steady = await follow(directory, "steady");
  const bursts = await follow(directory, "bursts");
  const pairs = await follow(directory, "pairs");
  const rotations = await follow(directory, "rotations");

  const calm = delaysOf(rotations.lines.filter(({ rotation }) => rotation === 0));
  const near = rotations.lines.filter(({ rotation }) => rotation > 0);
  const added = worstOfEach(near).map((delay) => delay - percentile(calm, 0.5));
  printTable(
    ["write() -> line delivered, ms", "of", "p50", "p99", "max", "right", "aim"],
    [
      row("steady, a line a ms", steady, aims.steady),
      row("bursts of 1,000", bursts, aims.bursts),
      row("lone pairs 10 ms apart", pairs),
      row("a line a ms, rotated twice a second", rotations),
      figures("  in the 100 ms after a rotation", delaysOf(near)),
      figures("  at other times", calm),
      [
        ...figures("  what a rotation adds to its worst line", added),
        "",
        aim(`max < ${aims.rotation}`, Math.max(...added) < aims.rotation),
      ],
    ],
  );
  return [steady, bursts, pairs, rotations].every(({ right }) => right);
}

async function follow(directory, pattern) {
  const own = join(directory, `follow-${pattern}`);
  const log = join(own, "mail.log");
  mkdirSync(own);
  writeFileSync(log, "");
  const follower = new Child([process.execPath, scripts.follower, log]);
  await follower.tells(/^follows$/m);
  const writer = new Child([process.execPath, scripts.writer, log, pattern]);
  await writer.ended;
  await sleep(patience, undefined, { signal: stopped });
  await follower.stop();
  const lines = JSON.parse(follower.printed);
  const right =
    lines.length === Number(writer.printed) &&
    lines.every(({ number }, index) => number === index + 1);
  return { lines, right };
}

function delaysOf(lines) {
  return lines.map(({ delay }) => delay);
}

function worstOfEach(lines) {
  const worst = new Map();
  for (const { rotation, delay } of lines)
    worst.set(rotation, Math.max(delay, worst.get(rotation) ?? 0));
  return [...worst.values()];
}

function row(name, { lines, right }, aimed) {
  const delays = delaysOf(lines);
  const p99 = percentile(delays, 0.99);
  const verdict = aimed === undefined ? "" : aim(`p99 < ${aimed}`, p99 < aimed);
  return [...figures(name, delays), right ? "yes" : "NO", verdict];
}

function figures(name, delays) {
  const all = [percentile(delays, 0.5), percentile(delays, 0.99), Math.max(...delays)];
  return [`  ${name}`, delays.length.toLocaleString("en"), ...all.map((ms) => ms.toFixed(2))];
}
