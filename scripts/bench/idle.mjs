/** What popgate costs while nothing happens that concerns it, beside a Node that does nothing at all. */

import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { Child } from "./child.mjs";
import { Generator } from "./generator.mjs";
import { firstLogins } from "./logins.mjs";
import { Daemon } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

const grants = 100;
const aims = { cpu: 0.1, memory: 70 };
/** Milliseconds after the start until its work is over, the garbage of the start collected too. */
const settling = 20_000;

/** Prints the figures after so many seconds. */
export async function measureIdle(directory, { seconds }) {
  const silent = await following(directory, "silent");
  const noisy = await following(directory, "noisy");
  const node = new Child([process.execPath, "-e", "setInterval(() => {}, 3_600_000)"]);
  const subjects = [silent.daemon, noisy.daemon, node];
  await pause(settling);

  const before = subjects.map((subject) => subject.cpu);
  for (const line of noiseLines(seconds)) {
    appendFileSync(noisy.log, line);
    await pause(1000);
  }
  const cpu = subjects.map((subject, index) => subject.cpu - before[index]);
  const memory = subjects.map((subject) => subject.memory("VmRSS"));
  await Promise.all(subjects.map((subject) => subject.stop()));

  const names = [
    "popgate run, silent log",
    "popgate run, a line of noise a second",
    "node, nothing",
  ];
  const rows = names.map((name, index) => [
    `  ${name}`,
    cpu[index].toFixed(2),
    memory[index].toFixed(1),
    `${(memory[index] / memory[2]).toFixed(2)} x`,
    ...(index === 2 ? [] : [verdict(cpu[index], memory[index], seconds)]),
  ]);
  const heading = `idle for ${seconds} s with ${grants} live grants`;
  printTable([heading, "CPU s", "RSS MB", "of node's", "aim"], rows);
}

async function following(directory, name) {
  const log = join(directory, `${name}.log`);
  writeFileSync(log, firstLogins(grants));
  const daemon = new Daemon(join(directory, name), { log, ttl: "1h", mta: "exim" });
  const live = await daemon.start();
  if (live !== grants) throw new Error(`popgate has ${live} live grants instead of ${grants}`);
  return { log, daemon };
}

function noiseLines(count) {
  const generator = new Generator({ lines: count, format: "rfc3339", mix: {} });
  return [...generator.pieces()].join("").match(/.*\n/g);
}

function verdict(cpu, memory, seconds) {
  const allowed = (aims.cpu * seconds) / 60;
  const text = `${allowed.toFixed(2)} s, ${aims.memory} MB`;
  return aim(text, cpu <= allowed && memory <= aims.memory);
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
