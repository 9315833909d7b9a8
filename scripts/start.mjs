/** `npm start`: installs what is missing, builds, and opens the playground (--once: ends after its story; --stay: never by itself). */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, run, stopped } from "./command.mjs";
import { provideDaemons } from "./daemons.mjs";
import { prepareGround, project, step } from "./ground.mjs";

const given = process.argv.slice(2);

async function main() {
  await prepareGround();
  const tsc = join(project, "node_modules/.bin/tsc");
  // Types are the tests' business; here a playground is wanted.
  const compile = [tsc, "-p", "test/tsconfig.json", "--noCheck"];
  await step("playground", () => must(compile, { cwd: project }));
  const daemons = await provideDaemons({ intoHost: given.includes("--install") });
  const options = given.filter((option) => option !== "--install");
  if (daemons.inside === undefined) return play([...options, `--without=${daemons.lacking}`]);

  const shared = mkdtempSync(join(tmpdir(), "popgate-playground-"));
  chmodSync(shared, 0o755); // the daemons run as users of their own and have to pass
  try {
    return await daemons.inside(
      (wrap) => play(options, (argv) => wrap(["env", `TMPDIR=${shared}`, ...argv])),
      shared,
    );
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

async function play(options, wrap = (argv) => argv) {
  const playground = join(project, ".build/test/lab/playground.js");
  const argv = wrap([process.execPath, playground, ...options]);
  return (await run(argv, { cwd: project, show: true, grace: 15_000 })).code;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = stopped.aborted ? 130 : 1;
  if (!stopped.aborted) console.error(`npm start: ${error.message}`);
}
