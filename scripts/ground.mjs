/** The ground that everything stands on: the right Node, the npm packages, a fresh build. */

import { statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { must } from "./command.mjs";

/** The project's own directory. */
export const project = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says one thing that takes a while, and how long it took. */
export async function step(what, work) {
  const start = performance.now();
  process.stdout.write(`${what} ...`);
  try {
    const result = await work();
    process.stdout.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stdout.write("\n");
    throw error;
  }
}

/** Installs the npm packages if they are missing or older than the lock file, and builds dist/. */
export async function prepareGround() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`popgate needs Node 20.19 or newer; this is ${process.version}`);
  }
  if (!isFresh()) {
    await step("npm packages", () =>
      must(["npm", "ci", "--include=dev", "--no-audit", "--no-fund"], { cwd: project }),
    );
  }
  await step("build", () => must(["npm", "run", "--silent", "build"], { cwd: project }));
}

function isFresh() {
  // npm writes this file when it has finished, so a half-made node_modules is not fresh.
  const installed = changed("node_modules/.package-lock.json");
  return installed !== undefined && installed >= changed("package-lock.json");
}

function changed(file) {
  return statSync(`${project}/${file}`, { throwIfNoEntry: false })?.mtimeMs;
}
