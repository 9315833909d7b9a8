/** The campaigns of `npm run soak` in which real daemons have a part: sessions at MTAs, and kills. */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printTable } from "./bench/table.mjs";
import { run, stopped } from "./command.mjs";
import { project } from "./ground.mjs";

/** Live grants, and the milliseconds after which each is over. */
const sizes = [
  { size: 1000, ttl: 8000 },
  { size: 10_000, ttl: 20_000 },
  { size: 100_000, ttl: 60_000 },
];
/** Kills of one daemon, and the live grants that it has by turns. */
const round = 50;
const grants = [1000, 10_000, 200, 30_000];

/** Runs `work` with a function that runs one campaign where the daemons are; it resolves to { code, outcome, said }. */
export async function withDaemons({ inside }, work) {
  const shared = mkdtempSync(join(tmpdir(), "popgate-soak-"));
  chmodSync(shared, 0o755); // the daemons run as users of their own and have to pass
  const soak = join(project, ".build/test/live/soak.js");
  try {
    return await inside(
      (wrap) =>
        work(async (...words) => {
          const argv = ["env", `TMPDIR=${shared}`, process.execPath, soak, ...words.map(String)];
          const { code, output } = await run(wrap(argv), { cwd: project, grace: 5000 });
          stopped.throwIfAborted();
          return { code, outcome: code === 0 ? JSON.parse(output) : undefined, said: output };
        }),
      shared,
    );
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

/** Kills popgate and its map tools so many times; whether all tables stayed whole. */
export async function killing(campaign, times, seed) {
  console.log(`${times} kills from seed ${seed} on`);
  const rows = [];
  let fine = true;
  for (let index = 0; index * round < times; index++) {
    const count = Math.min(round, times - index * round);
    const size = grants[index % grants.length];
    const { outcome, said } = await campaign("kills", seed + index, count, size);
    if (outcome === undefined) {
      fine = false;
      console.log(
        `${said}again: POPGATE_KILLS=${seed + index},${count},${size} npm run live -- kills`,
      );
      continue;
    }
    const { hit, strays, longest } = outcome;
    const counts = [count, hit.popgate, hit.start, hit.tool, strays, seed + index];
    rows.push([`  ${size} grants`, ...counts.map(String), `${longest.toFixed(0)} ms`]);
    console.log(`${index * round + count} kills, ${fine ? "none" : "not all"} failed`);
  }
  const columns = ["kills", "popgate", "its start", "a tool", "left builds", "seed", "healed"];
  printTable(["killed at random moments", ...columns], rows);
  return fine;
}

/** Asks MTAs for so many seconds at each size of each table; whether all answers were right. */
export async function asking(campaign, seconds) {
  const { outcome: doors, said } = await campaign("doors");
  if (doors === undefined) throw new Error(said);
  const rows = [];
  let fine = doors.length > 0;
  for (const { size, ttl } of sizes) {
    for (const door of doors) {
      const { outcome = [], said } = await campaign("sessions", seconds, size, ttl, door);
      if (outcome.length === 0) {
        fine = false;
        console.log(said);
      }
      for (const { door: name, sessions, versions, wrong, longest } of outcome) {
        if (wrong.length > 0) fine = false;
        for (const answer of wrong.slice(0, 10)) console.log(answer);
        const counts = [sessions, versions, wrong.length].map(String);
        rows.push([`  ${name}, ${size} grants`, ...counts, `${longest.toFixed(0)} ms`]);
        console.log(`${name}, ${size} grants: ${sessions} sessions, ${wrong.length} wrong`);
      }
    }
  }
  const columns = ["sessions", "versions", "wrong", "longest"];
  printTable([`MTAs asked for ${seconds} s each`, ...columns], rows);
  return fine;
}
