/** What popgate costs while nothing happens that concerns it, beside a Node that does nothing at all. */

import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopped } from "../command.mjs";
import { Child, measured } from "./child.mjs";
import { Generator } from "./generator.mjs";
import { firstLogins, loginOf } from "./logins.mjs";
import { Daemon, popgate } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

const grants = 100;
const files = 50;
const rotations = 1000;
const aims = { cpu: 0.1, memory: 70 };
/** Milliseconds after the start until its work is over, its garbage collected, and a log taken for silent, after a minute. */
const settling = 70_000;
/** The same between two rotations, on average, and until the last rotated file is closed, which is read on for 10 s. */
const between = 10;
const lingering = 15_000;
/** Rotated files that are kept: more than there can be between two looks. */
const kept = 30;
const collected = new URL("collected.mjs", import.meta.url).href;

/** Prints the figures after so many seconds; resolves to whether no line was lost in the rotations. */
export async function measureIdle(directory, seconds) {
  const silent = await following(directory, "silent");
  const noisy = await following(directory, "noisy");
  const many = await followingMany(directory);
  // What has been thrown away is no leak, however long nobody has swept.
  const rotated = await following(directory, "rotated", "--expose-gc", "--import", collected);
  const node = new Child([process.execPath, "-e", "setInterval(() => {}, 3_600_000)"]);
  await pause(settling);

  const idle = [silent.daemon, noisy.daemon, many.daemon, node];
  const before = idle.map((subject) => subject.cpu);
  for (const line of noiseLines(seconds)) {
    appendFileSync(noisy.log, line);
    await pause(1000);
  }
  const cpu = idle.map((subject, index) => subject.cpu - before[index]);
  const [calm, ...others] = [rotated.daemon, ...idle].map(standing);
  const after = await rotate(rotated);
  await Promise.all([...idle, rotated.daemon].map((subject) => subject.stop()));

  const base = others.at(-1);
  const names = ["popgate run, silent log", "popgate run, a line of noise a second"];
  names.push(`popgate run, a pattern with ${files} silent logs`, "node, nothing");
  const rows = names.map((name, index) => [
    ...row(name, others[index], base, cpu[index].toFixed(2)),
    index === 3 ? "" : verdict(cpu[index], others[index], seconds),
  ]);
  const heading = `idle for ${seconds} s with ${grants} live grants`;
  const columns = ["CPU s", "RSS MB", "of node's", "descriptors", "inotify watches"];
  printTable([heading, ...columns, "aim"], rows);

  const same = calm.descriptors === after.descriptors && calm.watches === after.watches;
  const right = (await linesRead(rotated)) === grants + rotations;
  printTable(
    [`${rotations.toLocaleString("en")} rotations, garbage collected`, ...columns, "right", "aim"],
    [
      row("before", calm, base, ""),
      [
        ...row("after, and 15 s of rest", after, base, after.cpu.toFixed(2)),
        right ? "yes" : "NO",
        aim("back at the baseline", same && after.memory < 1.1 * calm.memory),
      ],
    ],
  );
  return right;
}

async function following(directory, name, ...options) {
  const log = join(directory, `${name}.log`);
  writeFileSync(log, firstLogins(grants));
  return await started(directory, name, log, options);
}

async function followingMany(directory) {
  const logs = join(directory, "many-logs");
  mkdirSync(logs, { mode: 0o700 });
  for (let file = 1; file < files; file++) writeFileSync(join(logs, `${file}.log`), "");
  writeFileSync(join(logs, "first.log"), firstLogins(grants));
  return await started(directory, "many", join(logs, "*.log"), []);
}

async function started(directory, name, log, options) {
  const daemon = new Daemon(join(directory, name), { log, ttl: "1h", mta: "exim" });
  const live = await daemon.start(...options);
  if (live !== grants) throw new Error(`popgate has ${live} live grants instead of ${grants}`);
  return { log, daemon };
}

/** What it has open and in memory. */
function standing(subject) {
  const { descriptors, watches } = subject;
  return { descriptors, watches, memory: subject.memory("VmRSS") };
}

/** Each new file gets a login of a client that is granted already. */
async function rotate({ log, daemon }) {
  const before = daemon.cpu;
  const nameOf = (rotation) => `${log}-20260301${String(rotation).padStart(6, "0")}`;
  for (let rotation = 0; rotation < rotations; rotation++) {
    renameSync(log, nameOf(rotation));
    writeFileSync(log, loginOf(rotation % grants));
    if (rotation >= kept) rmSync(nameOf(rotation - kept));
    await pause(between);
  }
  await pause(lingering);
  return { ...standing(daemon), cpu: daemon.cpu - before };
}

/** Counted by the daemon, which has stopped. */
async function linesRead({ daemon }) {
  const argv = popgate("list", "--sources", "--json", "--state-dir", daemon.stateDirectory);
  return JSON.parse((await measured(argv)).printed).lines;
}

function noiseLines(count) {
  const generator = new Generator({ lines: count, format: "rfc3339", mix: {} });
  return [...generator.pieces()].join("").match(/.*\n/g);
}

function row(name, { memory, descriptors, watches }, base, cpu) {
  const ratio = `${(memory / base.memory).toFixed(2)} x`;
  return [`  ${name}`, cpu, memory.toFixed(1), ratio, `${descriptors}`, `${watches}`];
}

function verdict(cpu, { memory }, seconds) {
  const allowed = (aims.cpu * seconds) / 60;
  const text = `${allowed.toFixed(2)} s, ${aims.memory} MB`;
  return aim(text, cpu <= allowed && memory <= aims.memory);
}

function pause(ms) {
  return sleep(ms, undefined, { signal: stopped });
}
