/** How long a login takes from its line in the log to the table's answer, while the daemon was idle before. */

import { join } from "node:path";
import { columns, logInAt, Rig } from "./quiet.mjs";
import { aim, printTable } from "./table.mjs";
import { tablesHere } from "./tables.mjs";

const logins = 100;
const sizes = [1000, 10_000, 100_000];
const aimed = 25;

/** Prints the figures. */
export async function measureLatency(directory) {
  const tables = await tablesHere(directory);
  const rigs = [];
  for (const size of sizes) {
    // A large daemon's saves would disturb a small one's logins.
    const alike = tables.map(
      (table) => new Rig(join(directory, `latency-${table.id}-${size}`), { table, size }),
    );
    rigs.push(...alike);
    try {
      for (const rig of alike) await rig.start();
      await logInAt(alike, logins);
    } finally {
      for (const rig of alike) await rig.stop();
    }
  }
  const verdict = (rig) => (rig.size === 1000 ? aim(`p99 < ${aimed}`, rig.took(0.99) < aimed) : "");
  printTable(
    ["login line -> table answers, quiet, ms", ...columns],
    rigs.flatMap((rig) => rig.rows(verdict(rig))),
  );
}
