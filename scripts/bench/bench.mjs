/** `npm run bench [-- latency follow catchup gigabyte adapters guard control idle] [--idle SECONDS]`: prints how fast, how small and how right popgate is. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run, stopped } from "../command.mjs";
import { provideDaemons } from "../daemons.mjs";
import { prepareGround, project } from "../ground.mjs";

const all = ["latency", "follow", "catchup", "gigabyte", "adapters", "guard", "control", "idle"];
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

  const daemons = wanted.includes("latency")
    ? await provideDaemons({ intoHost: values.install })
    : {};
  if (daemons.lacking !== undefined) console.log(`no Postfix in a lab: ${daemons.lacking}`);
  const inside = daemons.inside ?? ((work) => work((argv) => argv));
  const shared = mkdtempSync(join(tmpdir(), "popgate-bench-"));
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

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  if (!stopped.aborted) console.error(`npm run bench: ${error.message}`);
}
