/** `writer.mjs LOG PATTERN`: writes lines that say when they were written; tells how many on standard output. */

import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Random } from "./random.mjs";

const [log, pattern] = process.argv.slice(2);
const random = new Random(1);
const cell = new Int32Array(new SharedArrayBuffer(4));

/** Rotated files that are kept. */
const kept = 10;
/** Milliseconds after a rotation whose lines are looked at apart from the others. */
const around = 100;

let descriptor = openSync(log, "a");
let lines = 0;
let rotations = 0;
let rotated = -Infinity;

const patterns = {
  /** One line a millisecond, for five seconds. */
  steady() {
    for (let line = 0; line < 5000; line++) {
      write();
      pause(1);
    }
  },
  /** As fast as it goes, a line a write, 1,000 lines at once. */
  bursts() {
    for (let burst = 0; burst < 30; burst++) {
      for (let line = 0; line < 1000; line++) write();
      pause(150 + random.below(100));
    }
  },
  /** Two lines 10 ms apart, then nothing: what throttles its events never tells of the second. */
  pairs() {
    for (let pair = 0; pair < 30; pair++) {
      write();
      pause(10);
      write();
      pause(300 + random.below(200));
    }
  },
  /** One line a millisecond; twice a second the log is renamed, written on for a few lines, and created anew. */
  rotations() {
    for (let line = 0; line < 10_000; line++) {
      write();
      pause(1);
      if (line % 500 === 250) rotate();
    }
  },
};

function write() {
  const apart = performance.now() - rotated < around ? rotations : 0;
  // The clock of CLOCK_MONOTONIC is the same in all processes.
  const text = `-login: Login: number=${++lines} rotation=${apart} sent=${process.hrtime.bigint()}\n`;
  writeSync(descriptor, text);
}

function rotate() {
  rotations++;
  rotated = performance.now();
  renameSync(log, rotatedName(rotations));
  rmSync(rotatedName(rotations - kept), { force: true });
  for (let line = 0; line < 5; line++) {
    write();
    pause(1);
  }
  closeSync(descriptor);
  descriptor = openSync(log, "a");
}

function rotatedName(rotation) {
  return `${log}-20260301${String(Math.max(0, rotation)).padStart(6, "0")}`;
}

/** Neither a timer nor a busy loop: it takes the CPU from nobody. */
function pause(ms) {
  Atomics.wait(cell, 0, 0, ms);
}

patterns[pattern]();
process.stdout.write(String(lines));
