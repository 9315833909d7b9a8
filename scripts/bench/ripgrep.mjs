/** ripgrep, the fastest search there is: the host's own, or Debian's package unpacked beside the lab, which changes no host. */

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { must, stopped, succeeds } from "../command.mjs";
import { unpackedAt } from "../packages.mjs";

/** Resolves to { program } or to { lacking: why not }. */
export async function provideRipgrep() {
  const place = unpackedAt("ripgrep");
  const own = `${place}/usr/bin/rg`;
  for (const program of ["rg", own]) if (await succeeds([program, "--version"])) return { program };
  try {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    await must(["apt-get", "download", "ripgrep"], { cwd: place });
    for (const deb of readdirSync(place))
      await must(["dpkg-deb", "--extract", `${place}/${deb}`, place]);
    await must([own, "--version"]);
    return { program: own };
  } catch (error) {
    stopped.throwIfAborted();
    rmSync(place, { recursive: true, force: true });
    return { lacking: error.message.split("\n")[0] };
  }
}
