/** How fast a long log is read, and how right, beside a Perl loop with one regular expression. */

import { join } from "node:path";
import { CommandError, stopped } from "../command.mjs";
import { measured } from "./child.mjs";
import { median } from "./figures.mjs";
import { writeLog } from "./generator.mjs";
import { Daemon, popgate } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

const lines = 1_000_000;
/** Lines per second of log time: all of it is younger than the daemon's ttl. */
const rate = 50;
const rounds = 7;
const aims = { speed: 2000, memory: 80 };

const dovecotLogin = String.raw`^[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ dovecot: (?:imap|pop3)-login: Login: user=<[^<>]*>, method=[^ ,]+, rip=([^ ,]+), lip=`;
/** The argv of Perl with one regular expression for Dovecot, without the log. */
export const loop = [
  "perl",
  "-ne",
  `if (/${dovecotLogin}/) { $logins++; $clients{$1} = 1 }
   END { print "$logins ", scalar(keys %clients) }`,
];

/** Prints the figures; resolves to whether all counts were right. */
export async function measureCatchUp(directory) {
  const log = join(directory, "mail.log");
  const start = new Date(Date.now() - (lines / rate + 600) * 1000).toISOString();
  const truth = await writeLog(log, { lines, rate, start });
  const expected = {
    match: JSON.stringify({
      lines,
      logins: truth.logins.dovecot + truth.logins.courier,
      clients: truth.clients.length,
    }),
    perl: `${truth.logins.dovecot} ${truth.clientsOfDovecot}`,
  };

  const match = [];
  const perl = [];
  const daemon = [];
  for (let round = 0; round < rounds; round++) {
    match.push(await ran(popgate("match", "--count", log), expected.match));
    perl.push(await ran([...loop, log], expected.perl).catch(absent));
    daemon.push(await caughtUp(join(directory, `catch-up-${round}`), log, truth.clients));
  }

  const rival = perl.includes(undefined) ? undefined : figures(perl);
  const heading = `catch-up of ${lines / 1e6} M lines, ${Math.round(truth.bytes / 1e6)} MB, ${rounds} times`;
  printTable(
    [heading, "k lines / CPU s", "CPU s", "wall s", "peak MB", "right", "of perl's speed", "aim"],
    [
      row("popgate match --count", figures(match), rival, true),
      row("popgate run, until ready", figures(daemon), rival, true),
      rival === undefined ? ["  no perl here"] : row("perl, one regex for Dovecot", rival),
    ],
  );
  const all = [...match, ...daemon, ...perl];
  return all.every((outcome) => outcome === undefined || outcome.right);
}

async function ran(argv, expected) {
  const { printed, ...costs } = await measured(argv);
  return { ...costs, right: printed.trim() === expected };
}

function absent(error) {
  stopped.throwIfAborted();
  if (error instanceof CommandError || error.code !== "ENOENT") throw error;
}

async function caughtUp(directory, log, clients) {
  const daemon = new Daemon(directory, { log, ttl: "1d", mta: "exim" });
  const began = performance.now();
  try {
    const grants = await daemon.start();
    const wall = (performance.now() - began) / 1000;
    const right = grants === clients.length && daemon.clients().join() === clients.join();
    return { cpu: daemon.cpu, wall, peak: daemon.memory("VmHWM"), right };
  } finally {
    await daemon.stop();
  }
}

function figures(outcomes) {
  const cpu = median(outcomes.map((outcome) => outcome.cpu));
  return {
    cpu,
    speed: lines / 1000 / cpu,
    wall: median(outcomes.map((outcome) => outcome.wall)),
    peak: Math.max(...outcomes.map((outcome) => outcome.peak)),
    right: outcomes.filter((outcome) => outcome.right).length,
  };
}

function row(name, { cpu, speed, wall, peak, right }, rival, ours = false) {
  return [
    `  ${name}`,
    speed.toFixed(0),
    cpu.toFixed(2),
    wall.toFixed(2),
    peak.toFixed(1),
    `${right} of ${rounds}`,
    rival === undefined ? "" : `${(speed / rival.speed).toFixed(2)} x`,
    ours ? aim(`${aims.speed}, ${aims.memory} MB`, speed >= aims.speed && peak <= aims.memory) : "",
  ];
}
