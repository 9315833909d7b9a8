/** What popgate itself holds while it reads a long log. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { answer } from "../lab/child.ts";
import { program } from "../lab/popgate.ts";

const logins = 200_000;

/** Tells at the end how many bytes V8 holds for what was made last. */
const probe = `data:text/javascript,
  import { getHeapSpaceStatistics } from "node:v8";
  const isYoung = (space) => space.space_name === "new_space";
  process.on("exit", () => console.error(getHeapSpaceStatistics().find(isYoung).physical_space_size));`;

it("what is made of lines gets no more room the more there are", async () => {
  const directory = mkdtempSync(join(tmpdir(), "popgate-memory-"));
  try {
    const log = join(directory, "mail.log");
    const line = (number: number) =>
      `Nov 23 06:20:54 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.${String(number % 200)}, lip=198.51.100.1, session=<${String(number)}>\n`;
    writeFileSync(log, Array.from({ length: logins }, (_, number) => line(number)).join(""));
    const argv = [process.execPath, "--import", probe, program, "match", "--count", log] as const;
    const { stdout, stderr } = await answer(argv);
    expect(JSON.parse(stdout)).toEqual({ lines: logins, logins, clients: 200 });
    expect(Number(stderr)).toBeLessThan(3 * 2 ** 20);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
