/** For how long a popgate with 100,000 live grants holds its loop: at its start, when it publishes, saves, answers, reloads, and when all end at once. */

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, clientOf, grants, stateText } from "./control.mjs";
import { loginOf } from "./logins.mjs";
import { Daemon } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

const most = 20;
const turns = new URL("turns.mjs", import.meta.url).href;

/** Prints the figures. */
export async function measureHolds(directory) {
  const rows = [];
  const row = (name, held) =>
    rows.push([`  ${name}`, held.toFixed(1), aim(`${most} ms`, held <= most)]);
  await among(directory, "lasting", 3_600_000, async ({ daemon, log, socket, held }) => {
    row("starts: loads, publishes", await held());
    appendFileSync(log, loginOf(0, { client: "203.0.113.9" }));
    await daemon.tells(/^granted client=203\.0\.113\.9 /m);
    await sleep(4000);
    row("publishes and saves", await held());
    for (let turn = 0; turn < 5; turn++) await ask(socket, "/grants");
    row("sends all grants", await held());
    await ask(socket, "/metrics");
    row("sends its metrics", await held());
    daemon.signal("SIGHUP");
    await daemon.tells(/^reloaded /m);
    row("reloads", await held());
  });
  await among(directory, "ending", 6000, async ({ daemon, held }) => {
    await held();
    await daemon.tells(new RegExp(`^expired client=${clientOf(0)} `, "m"));
    await sleep(4000);
    row("all end in one second", await held());
  });
  printTable([`${grants} grants`, "loop held ms", "aim"], rows);
}

async function among(directory, name, left, look) {
  const place = join(directory, name);
  mkdirSync(place);
  const log = join(place, "mail.log");
  writeFileSync(log, "");
  const daemon = new Daemon(join(place, "daemon"), { log, ttl: "1h", mta: "exim" });
  mkdirSync(daemon.stateDirectory);
  writeFileSync(join(daemon.stateDirectory, "state.jsonl"), stateText(left));
  process.env.TURNS = join(place, "turns");
  try {
    await daemon.start("--import", turns);
    const socket = join(daemon.stateDirectory, "control");
    const held = async () => Number(await text(connect(process.env.TURNS)));
    await look({ daemon, log, socket, held });
  } finally {
    delete process.env.TURNS;
    await daemon.stop();
  }
}
