/** A place to work in without the superuser's privileges: permissions are asked of this process as of anybody else. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's `nobody`. */
const nobody = 65_534;

/**
 * Does `work` in a new directory of its own, which is removed afterwards. As the superuser the whole process is `nobody`
 * meanwhile: what it needs besides that directory has to be loaded, or readable for everybody.
 */
export async function unprivileged<T>(
  prefix: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = fs.mkdtempSync(join(tmpdir(), prefix));
  const root = process.geteuid?.() === 0;
  try {
    if (root) {
      fs.chownSync(directory, nobody, nobody);
      process.seteuid?.(nobody);
    }
    return await work(directory);
  } finally {
    if (root) process.seteuid?.(0);
    fs.rmSync(directory, { recursive: true });
  }
}
