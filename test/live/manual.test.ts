/** The manual pages as they are built, in the eyes of mandoc. */

import { join } from "node:path";
import { expect, it } from "vitest";
import { answer } from "../lab/child.ts";
import { project } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";

it.skipIf(lacks("mandoc")).each(["popgate.8", "popgate.toml.5"])(
  "%s is well formed",
  async (page) => {
    const { stdout, stderr } = await answer([
      "mandoc",
      "-T",
      "lint",
      join(project, "dist", "man", page),
    ]);
    // The longest keys of the config are longer than a line.
    const faults = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => !/^$|longer than 80/.test(line));
    expect(faults).toEqual([]);
  },
);
