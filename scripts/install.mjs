/** Installs the lab's Debian packages on the system it runs on: the host itself in CI, else an overlay of it. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { pathToFileURL } from "node:url";
import { must, run } from "./command.mjs";
import {
  installed,
  isComplete,
  librariesOf,
  missing,
  setLibraries,
  unpacked,
  unpackedAt,
} from "./packages.mjs";

const policy = "/usr/sbin/policy-rc.d";
const kept = `${policy}.before-popgate`;
const apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"];

/** Installs and unpacks what is missing. No service is started. */
export async function install() {
  if (await isComplete()) return;
  // An unreachable list among several is only a warning: what matters is whether the packages are found.
  await run([...apt, "update"]);
  await withoutServices(async () => {
    const libraries = [];
    for (const name of Object.keys(unpacked)) libraries.push(...(await unpack(name)));
    const wanted = await missing([...installed, ...new Set(libraries)]);
    if (wanted.length > 0) await aptInstall(wanted);
  });
}

/** Does the work while no installed service may start, and puts back the host's own policy about that. */
async function withoutServices(work) {
  if (existsSync(kept)) renameSync(kept, policy); // an earlier run was killed in the middle
  if (existsSync(policy)) renameSync(policy, kept);
  writeFileSync(policy, "#!/bin/sh\nexit 101\n");
  chmodSync(policy, 0o755);
  try {
    return await work();
  } finally {
    rmSync(policy);
    if (existsSync(kept)) renameSync(kept, policy);
  }
}

function aptInstall(names) {
  return must([...apt, "install", "-y", "-q", "--no-install-recommends", ...names], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

async function unpack(name) {
  const known = librariesOf(name);
  if (known !== undefined) return known;
  const libraries = new Set();
  const target = unpackedAt(name);
  const debs = `${target}/debs`;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(debs, { recursive: true });
  await must([...apt, "download", ...unpacked[name]], { cwd: debs });
  for (const deb of readdirSync(debs)) {
    await must(["dpkg-deb", "--extract", `${debs}/${deb}`, target]);
    const needs = await must(["dpkg-deb", "--field", `${debs}/${deb}`, "Depends"]);
    for (const library of librariesIn(needs)) libraries.add(library);
  }
  for (const own of unpacked[name]) libraries.delete(own);
  rmSync(debs, { recursive: true });
  setLibraries(name, libraries);
  return [...libraries];
}

// The libraries are named by the packages themselves, since their names change with every Debian.
function librariesIn(depends) {
  return depends
    .split(",")
    .map((choice) => choice.split("|")[0].trim().split(/[ :]/)[0])
    .filter((name) => name.startsWith("lib"));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await install();
