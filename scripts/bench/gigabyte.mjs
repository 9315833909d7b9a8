/** What reading a gigabyte costs, beside the programs that do nothing else than search. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measured } from "./child.mjs";
import { median } from "./figures.mjs";
import { writeLog } from "./generator.mjs";
import { Daemon, popgate } from "./popgate.mjs";
import { provideRipgrep } from "./ripgrep.mjs";
import { aim, printTable } from "./table.mjs";

const lines = 5_400_000;
/** Lines per second of log time: all of it is younger than the daemon's ttl. */
const rate = 200;
const mix = { login: 0.05, failure: 0.02, courier: 0.015, end: 0.04, forgery: 0.001 };
const rounds = 3;
/** Times the CPU time of ripgrep for the exact expression; megabytes; milliseconds. */
const aims = { cpu: 4, memory: 60, held: 20 };

/** What only a login matches: as much as an adapter asks of a line, but for its parts. */
const exact =
  String.raw`^[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [^ ]+ (dovecot: (imap|pop3)-login: Login: user=<[^<>]*>, method=[^ ,]+, rip=[^ ,]+, lip=` +
  String.raw`|(imapd|pop3d)(-ssl)?: LOGIN, user=.*, ip=\[[^]]*\])`;
/** What ripgrep is quickest at, since it need not look at what stands before: forged lines match, too. */
const loose =
  String.raw`-login: Login: user=<[^<>]*>, method=[^ ,]+, rip=[^ ,]+, lip=` +
  String.raw`|(imapd|pop3d)(-ssl)?: LOGIN, user=[^,]*, ip=\[[^]]*\]`;

const ours = /popgate|its file source/;
const held = new URL("held.mjs", import.meta.url).href;
const reading = fileURLToPath(new URL("reading.mjs", import.meta.url));

/** Prints the figures; resolves to whether all counts were right. */
export async function measureGigabyte(directory) {
  const log = join(directory, "gigabyte.log");
  const start = new Date(Date.now() - (lines / rate + 600) * 1000).toISOString();
  const truth = await writeLog(log, { lines, rate, start, mix });
  const logins = truth.logins.dovecot + truth.logins.courier;
  const { program: ripgrep, lacking } = await provideRipgrep();
  const count = JSON.stringify({ lines, logins, clients: truth.clients.length });
  const grep = ["env", "LC_ALL=C", "grep", "-cE", "-e"];

  // One after the other, over and over: what disturbs this machine for a while disturbs all of them.
  const subjects = new Map([
    ["popgate match --count", () => ran(popgate("match", "--count", log), count)],
    [
      "its file source and adapters",
      () => ran([process.execPath, "--import", held, reading, log], count),
    ],
    ["popgate run, until ready", () => caughtUp(join(directory, "gigabyte"), log, truth.clients)],
    ["wc -l", () => ran(["wc", "-l", log], `${lines} ${log}`)],
    ["grep -cE", () => ran([...grep, exact, log], `${logins}`)],
    ["grep -cE, no anchors", () => ran([...grep, loose, log])],
    ...(ripgrep === undefined
      ? []
      : [
          ["rg -c", () => ran([ripgrep, "-c", "-e", exact, log], `${logins}`)],
          ["rg -c, no anchors", () => ran([ripgrep, "-c", "-e", loose, log])],
        ]),
    ["node, nothing", () => ran([process.execPath, "-e", "0"])],
  ]);
  const outcomes = new Map([...subjects.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of subjects) outcomes.get(name).push(await measure());
  rmSync(log);

  const figures = new Map([...outcomes].map(([name, all]) => [name, figuresOf(all)]));
  const rivals = [figures.get("rg -c"), figures.get("rg -c, no anchors")];
  const heading = `${Math.round(truth.bytes / 1e6)} MB, ${lines / 1e6} M lines, ${((100 * logins) / lines).toFixed(1)} % logins, ${rounds} times`;
  const columns = ["CPU s", "wall s", "peak MB", "loop held ms", "right"];
  columns.push("of rg's CPU", "no anchors", "aim");
  const rows = [...figures].map(([name, its]) => row(name, its, rivals));
  if (ripgrep === undefined) rows.push([`  no ripgrep here: ${lacking}`]);
  printTable([heading, ...columns], rows);
  return [...figures.values()].every(({ right }) => right);
}

async function ran(argv, expected) {
  const { printed, told, cpu, wall, peak } = await measured(argv);
  const right = expected === undefined || printed.trim() === expected;
  return { cpu, wall, peak, held: heldFor(told), right };
}

async function caughtUp(directory, log, clients) {
  const daemon = new Daemon(directory, { log, ttl: "1d", mta: "exim" });
  const began = performance.now();
  let outcome;
  try {
    const grants = await daemon.start("--import", held);
    const wall = (performance.now() - began) / 1000;
    const right = grants === clients.length && daemon.clients().join() === clients.join();
    outcome = { cpu: daemon.cpu, wall, peak: daemon.memory("VmHWM"), right };
  } finally {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  }
  return { ...outcome, held: heldFor(daemon.told) };
}

function heldFor(told) {
  return Number(/^loop held for (\S+) ms$/m.exec(told)?.[1] ?? Number.NaN);
}

function figuresOf(outcomes) {
  return {
    cpu: median(outcomes.map(({ cpu }) => cpu)),
    wall: median(outcomes.map(({ wall }) => wall)),
    peak: Math.max(...outcomes.map(({ peak }) => peak)),
    held: Math.max(...outcomes.map((outcome) => outcome.held)),
    right: outcomes.every(({ right }) => right),
  };
}

function row(name, { cpu, wall, peak, held, right }, rivals) {
  const ratios = rivals.map((rival) => (rival === undefined ? Number.NaN : cpu / rival.cpu));
  return [
    `  ${name}`,
    cpu.toFixed(2),
    wall.toFixed(2),
    peak.toFixed(1),
    Number.isNaN(held) ? "" : held.toFixed(1),
    right ? "yes" : "NO",
    ...ratios.map((ratio) => (Number.isNaN(ratio) ? "" : `${ratio.toFixed(1)} x`)),
    ours.test(name) ? verdict(ratios[0], peak, held) : "",
  ];
}

function verdict(ratio, peak, held) {
  const reached = !(ratio > aims.cpu) && peak <= aims.memory && !(held > aims.held);
  return aim(`${aims.cpu} x, ${aims.memory} MB, ${aims.held} ms`, reached);
}
