/** `npm run bench [-- --only latency,catchup,adapters,idle] [--idle SECONDS]`: prints how fast, how small and how right popgate is. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run, stopped } from "../command.mjs";
import { provideDaemons } from "../daemons.mjs";
import { prepareGround, project } from "../ground.mjs";

const all = ["latency", "catchup", "adapters", "idle"];
const measure = fileURLToPath(new URL("measure.mjs", import.meta.url));

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: all.join() },
      idle: { type: "string", default: "60" },
      install: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.split(",").find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`--only: "${unknown}" is none of ${all.join(", ")}`);
  if (!/^[1-9]\d*$/.test(values.idle))
    throw new Error(`--idle: "${values.idle}" is not in seconds`);
  await prepareGround();

  const daemons = values.only.includes("latency")
    ? await provideDaemons({ intoHost: values.install })
    : {};
  if (daemons.lacking !== undefined) console.log(`no Postfix in a lab: ${daemons.lacking}`);
  const inside = daemons.inside ?? ((work) => work((argv) => argv));
  const shared = mkdtempSync(join(tmpdir(), "popgate-bench-"));
  const argv = ["env", `TMPDIR=${shared}`, process.execPath, measure, values.only, values.idle];
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
