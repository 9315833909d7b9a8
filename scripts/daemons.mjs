/** Where the real mail daemons can be run without changing the host: in an overlay of it, or on it if they are there. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { must, stopped, succeeds } from "./command.mjs";
import { project, step } from "./ground.mjs";
import { install } from "./install.mjs";
import { cache, isComplete, librariesOf, recipe, unpacked } from "./packages.mjs";

const layer = `${cache}/system.tar`;
const layerRecipe = `${cache}/system.recipe`;
// Mounts and processes of the lab end with the namespace, however the lab itself ends.
const namespace = "unshare --mount --pid --fork --kill-child --propagation private".split(" ");

const reaper = fileURLToPath(new URL("reaper.sh", import.meta.url));

/**
 * Provides the daemons, installing what is missing: into the host only with CI=true or `intoHost`.
 * Resolves to { inside(work, shared), namespaces, changedRoot } or to { lacking: why not }. `inside` calls work(wrap), where
 * wrap(argv) is the command that runs argv where the daemons are; in an overlay, only the project and the directory
 * `shared` are the host's own there.
 */
export async function provideDaemons({ intoHost }) {
  const lacking = obstacle();
  if (lacking !== undefined) return { lacking };
  const namespaces = await succeeds([...namespace, "true"]);
  try {
    if (await isComplete()) return onHost(namespaces);
    if (intoHost || process.env.CI === "true") {
      await step("Debian packages, into this host", install);
      return onHost(namespaces);
    }
    if (!namespaces) return { lacking: "this root may not mount (no CAP_SYS_ADMIN)" };
    if (!isLayerFresh()) await step("Debian packages, into an overlay of this host", buildLayer);
    const inside = (work, shared) => overlaid(work, { start: layer, shared });
    return { inside, namespaces, changedRoot: true };
  } catch (error) {
    stopped.throwIfAborted();
    return { lacking: `the packages could not be installed: ${error.message}` };
  }
}

function obstacle() {
  if (process.getuid() !== 0) return "not root";
  const tools = ["/usr/bin/apt-get", "/usr/bin/dpkg-query", "/usr/bin/unshare"];
  const absent = tools.find((tool) => !existsSync(tool));
  return absent === undefined ? undefined : `no ${absent} on this host`;
}

function onHost(namespaces) {
  const wrap = (argv) =>
    namespaces ? [...namespace, "--mount-proc", "sh", reaper, ...argv] : argv;
  return { inside: (work) => work(wrap), namespaces };
}

function isLayerFresh() {
  return (
    existsSync(layer) &&
    existsSync(layerRecipe) &&
    Object.keys(unpacked).every((name) => librariesOf(name) !== undefined) &&
    readFileSync(layerRecipe, "utf8") === recipe()
  );
}

async function buildLayer() {
  mkdirSync(cache, { recursive: true });
  rmSync(layerRecipe, { force: true });
  const installer = fileURLToPath(new URL("install.mjs", import.meta.url));
  await overlaid((wrap) => must(wrap([process.execPath, installer])), { keep: layer });
  writeFileSync(layerRecipe, recipe());
}

async function overlaid(work, { start = "", keep = "", shared = "" }) {
  const scratch = mkdtempSync("/tmp/popgate-root-");
  const script = fileURLToPath(new URL("overlay.sh", import.meta.url));
  const fixed = [scratch, start, keep, process.execPath, project, shared];
  try {
    return await work((argv) => [...namespace, "sh", script, ...fixed, "sh", reaper, ...argv]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
