/** How long a login takes from its line in the log until a running smtpd accepts the client's mail to another domain. */

import { join } from "node:path";
import { project } from "../ground.mjs";
import { columns, logInAt, Rig } from "./quiet.mjs";
import { aim, printTable } from "./table.mjs";
import { PostfixTable, tablesHere } from "./tables.mjs";

const logins = 100;
const size = 1000;
const aimed = 40;

/** Prints the figures; the laboratory has to be compiled. */
export async function measureRelay(directory) {
  const tables = await tablesHere(directory);
  if (!(tables[0] instanceof PostfixTable)) return console.log("\nno smtpd here");
  const [{ Lab }, { Postfix, relayFor }, { offer }] = await Promise.all(
    ["lab", "postfix", "smtp"].map((name) => import(join(project, `.build/test/lab/${name}.js`))),
  );
  const lab = await Lab.open();
  const rigs = [];
  try {
    for (const table of tables) {
      const port = await lab.port();
      const passed = async (_, client) => (await offer({ port, client })).code === 250;
      const rig = new Rig(lab.path(table.id), { table, size, clientOf: loopbackOf, passed });
      rigs.push(rig);
      await rig.start();
      const restrictions = relayFor(`${table.settings.type}:${rig.path}`);
      await lab.start(new Postfix(lab, [{ port, restrictions }], `postfix-${table.id}`));
    }
    await logInAt(rigs, logins);
  } finally {
    for (const rig of rigs) await rig.stop();
    await lab.close();
  }
  const verdict = (rig) => aim(`p99 < ${aimed}`, rig.took(0.99) < aimed);
  printTable(
    ["login line -> RCPT accepted, quiet, ms", ...columns],
    rigs.flatMap((rig) => rig.rows(verdict(rig))),
  );
}

/** The clients that come through speak SMTP, so theirs are addresses that can be had. */
function loopbackOf(number) {
  return `127.16.${Math.floor(number / 250)}.${(number % 250) + 1}`;
}
