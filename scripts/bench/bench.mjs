/** `npm run bench [-- latency relay churn follow catchup gigabyte adapters guard control holds idle] [--idle SECONDS]`: prints how fast, how small and how right popgate is. */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { must, run, stopped } from "../command.mjs";
import { provideDaemons } from "../daemons.mjs";
import { prepareGround, project, step } from "../ground.mjs";

const all = [
  "latency",
  "relay",
  "churn",
  "follow",
  "catchup",
  "gigabyte",
  "adapters",
  "guard",
  "control",
  "holds",
  "idle",
];
/** They measure with Postfix where it is, and one of them needs the laboratory of the tests. */
const withPostfix = ["latency", "relay", "churn"];
const measure = fileURLToPath(new URL("measure.mjs", import.meta.url));

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      idle: { type: "string", default: "60" },
      install: { type: "boolean", default: false },
    },
  });
  const wanted = positionals.length === 0 ? all : positionals;
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${all.join(", ")}`);
  if (!/^[1-9]\d*$/.test(values.idle))
    throw new Error(`--idle: "${values.idle}" is not in seconds`);
  await prepareGround();
  if (wanted.includes("relay")) await compileLab();

  const daemons = wanted.some((name) => withPostfix.includes(name))
    ? await provideDaemons({ intoHost: values.install })
    : {};
  if (daemons.lacking !== undefined) console.log(`no Postfix in a lab: ${daemons.lacking}`);
  const inside = daemons.inside ?? ((work) => work((argv) => argv));
  const shared = mkdtempSync(join(tmpdir(), "popgate-bench-"));
  chmodSync(shared, 0o755); // the daemons run as users of their own and have to pass
  const argv = ["env", `TMPDIR=${shared}`, process.execPath, measure, wanted.join(), values.idle];
  try {
    const { code } = await inside(
      (wrap) => run(wrap(argv), { cwd: project, show: true, grace: 5000 }),
      shared,
    );
    return code;
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

async function compileLab() {
  const tsc = join(project, "node_modules/.bin/tsc");
  const compile = [tsc, "-p", "test/tsconfig.json", "--noCheck"];
  await step("laboratory", () => must(compile, { cwd: project }));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  if (!stopped.aborted) console.error(`npm run bench: ${error.message}`);
}
