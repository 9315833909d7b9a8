/** What further adapters cost: a long log with some or all of them on, beside a naive loop over their patterns, and Perl. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { project } from "../ground.mjs";
import { loop } from "./catchup.mjs";
import { measured } from "./child.mjs";
import { median } from "./figures.mjs";
import { writeLog } from "./generator.mjs";
import { measureHostile } from "./hostile.mjs";
import { popgate } from "./popgate.mjs";
import { aim, printTable } from "./table.mjs";

const lines = 3_000_000;
const rounds = 5;
const aims = { growth: 2, speed: 2500, perl: 1 };
const naive = fileURLToPath(new URL("naive.mjs", import.meta.url));

/** Prints the figures; resolves to whether all counts were right. */
export async function measureAdapters(directory) {
  const { adapters } = await import(join(project, "dist/adapters/index.js"));
  const all = adapters.map(({ name }) => name);
  // The two whose logins are in the log come first.
  const present = ["dovecot", "courier"];
  const names = [...present, ...all.filter((name) => !present.includes(name))];
  const log = join(directory, "adapters.log");
  const truth = await writeLog(log, { lines });
  const contenders = [
    ...[1, 2, 5, 10, names.length].map((count) => matching(log, names.slice(0, count), truth)),
    ...[1, names.length].map((count) => looping(log, names.slice(0, count), truth)),
    {
      name: "perl, one regex for Dovecot",
      argv: [...loop, log],
      expected: `${truth.logins.dovecot} ${truth.clientsOfDovecot}`,
    },
  ];
  const costs = contenders.map(() => []);
  let right = true;
  for (let round = 0; round < rounds; round++) {
    for (const [index, { argv, expected, name }] of contenders.entries()) {
      const { printed, cpu } = await measured(argv);
      costs[index].push(cpu);
      if (printed.trim() === expected) continue;
      right = false;
      console.log(`${name}: ${printed.trim()} instead of ${expected}`);
    }
  }
  const speeds = costs.map((cpu) => lines / 1000 / median(cpu));
  const [one, two] = speeds;
  const perl = speeds.at(-1);
  const reached = new Map([
    [1, () => aim(`${aims.perl} x perl`, two >= aims.perl * perl)],
    [
      4,
      (speed) =>
        aim(
          `${aims.growth} x one's cost, ${aims.speed}`,
          one <= aims.growth * speed && speed >= aims.speed,
        ),
    ],
  ]);
  printTable(
    [`${lines / 1e6} M lines, ${rounds} times`, "k lines / CPU s", "of one's cost", "aim"],
    contenders.map(({ name }, index) => [
      `  ${name}`,
      speeds[index].toFixed(0),
      `${(one / speeds[index]).toFixed(2)} x`,
      reached.get(index)?.(speeds[index]) ?? "",
    ]),
  );
  await measureHostile();
  return right;
}

function matching(log, names, truth) {
  const chosen = names.flatMap((name) => ["--adapter", name]);
  const isBoth = names.length > 1;
  const logins = truth.logins.dovecot + (isBoth ? truth.logins.courier : 0);
  const clients = isBoth ? truth.clients.length : truth.clientsOfDovecot;
  return {
    name: `popgate match --count, ${names.length} on`,
    argv: popgate("match", "--count", ...chosen, log),
    expected: JSON.stringify({ lines, logins, clients }),
  };
}

function looping(log, names, truth) {
  const logins = truth.logins.dovecot + (names.length > 1 ? truth.logins.courier : 0);
  return {
    name: `a naive loop over the same patterns, ${names.length} on`,
    argv: [process.execPath, naive, log, ...names],
    expected: String(logins),
  };
}
