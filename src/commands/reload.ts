/** `popgate reload`: has the running popgate read its config again, and says what it says. */
import { exit, type ExitCode } from "../errors.ts";
import type { ConfigOptions } from "../setup.ts";
import type { Outside } from "./command.ts";
import { askRunning } from "./running.ts";

/** Milliseconds: patterns of the config are examined anew, and tables built. */
const patience = 120_000;

/** @throws KnownError if no popgate runs, or it refuses the config; then the running one stays */
export async function reload(options: ConfigOptions, outside: Outside): Promise<ExitCode> {
  await askRunning(options, { method: "POST", path: "/reload", patience }, outside);
  outside.tell("reloaded\n");
  return exit.ok;
}
