/** How soon a popgate with 100,000 live grants answers on its control socket, and for how long an answer holds its loop. */

import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { median, percentile } from "./figures.mjs";
import { Daemon } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

export const grants = 100_000;
const asked = 50;
/** Milliseconds. */
const questions = [
  ["GET /status", "/status", 50],
  ["GET /explain/CLIENT, granted", `/explain/${clientOf(77_777)}`, 50],
  ["GET /explain/CLIENT, not granted", "/explain/192.0.2.7", 50],
  ["GET /metrics", "/metrics", 20],
  ["GET /grants, its first line", "/grants", undefined, 5],
];

/** Prints the figures. */
export async function measureControl(directory) {
  const place = join(directory, "control");
  mkdirSync(place);
  const log = join(place, "mail.log");
  writeFileSync(log, "");
  const daemon = new Daemon(join(place, "daemon"), { log, ttl: "1h", mta: "exim" });
  // Not by logins: each is told in a line, and reading those would take longer than all else.
  mkdirSync(daemon.stateDirectory);
  writeFileSync(join(daemon.stateDirectory, "state.jsonl"), stateText());
  try {
    const held = await daemon.start();
    if (held !== grants) throw new Error(`${held} grants instead of ${grants}`);
    await takeFigures(join(daemon.stateDirectory, "control"));
  } finally {
    await daemon.stop();
  }
}

async function takeFigures(socket) {
  const rows = [];
  for (const [name, path, aimed, turns = asked] of questions) {
    const first = [];
    const whole = [];
    for (let turn = 0; turn < turns; turn++) {
      const answer = await ask(socket, path);
      first.push(answer.first);
      whole.push(answer.whole);
    }
    const p95 = percentile(first, 0.95);
    rows.push([
      name,
      ms(median(first)),
      ms(p95),
      ms(Math.max(...first)),
      ms(median(whole)),
      aimed === undefined ? "" : aim(`< ${aimed} ms`, p95 < aimed),
    ]);
  }
  rows.push(["a status while 100,000 grants are sent", ...(await beside(socket))]);
  printTable([`control socket, ${grants} grants, ms`, "p50", "p95", "max", "whole", "aim"], rows);
}

/** 198.18.0.0/15 is for measurements (RFC 2544). */
export function clientOf(number) {
  return `198.${18 + Math.floor(number / 62_500)}.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
}

/** What a popgate saved an instant ago: grants that all end in so many ms. */
export function stateText(left = 3_600_000) {
  const now = Date.now();
  const [saved, expires] = [now, now + left].map((ms) => new Date(ms).toISOString());
  const header = { popgate: 1, saved, forgotten: saved, checkpoints: {}, tables: [] };
  const lines = Array.from({ length: grants }, (_, number) => ({
    client: clientOf(number),
    user: `user${number}@example.com`,
    service: "imap",
    adapter: "dovecot",
    granted: saved,
    renewed: saved,
    expires,
  }));
  return [header, ...lines, { grants }].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Another client's wait, while one takes all grants again and again. */
async function beside(socket) {
  const over = new AbortController();
  const lists = (async () => {
    while (!over.signal.aborted) await ask(socket, "/grants");
  })();
  const waits = [];
  for (let turn = 0; turn < asked; turn++) waits.push((await ask(socket, "/status")).first);
  over.abort();
  await lists;
  return [ms(median(waits)), ms(percentile(waits, 0.95)), ms(Math.max(...waits))];
}

/** Resolves to the ms until the first byte of an answer, and until its end. */
export function ask(socketPath, path) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let first;
    const question = request({ socketPath, path, agent: false }, (response) => {
      response.once("data", () => (first = performance.now() - start));
      response.resume();
      response.once("end", () => resolve({ first, whole: performance.now() - start }));
    });
    question.once("error", reject);
    question.end();
  });
}

function ms(number) {
  return number.toFixed(1);
}
