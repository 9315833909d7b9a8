/** Where a popgate that runs is found: its state, and the socket on which it can be asked. */
import { isAbsolute, join, normalize } from "node:path";
import { defaultStateDir } from "./paths.ts";

/** Absolute paths. */
export interface Places {
  readonly stateDir: string;
  readonly controlSocket: string;
}

/** The places of a popgate with this state directory: unless said otherwise, whoever finds its state finds its socket there. */
export function placesOf(stateDir: string, controlSocket = join(stateDir, "control")): Places {
  return { stateDir, controlSocket };
}

/** The places that a config names which is no config, as far as they can be read; the default ones if it names none. */
export function placesNamed(text: string): Places {
  return placesOf(pathNamed("state_dir", text) ?? defaultStateDir, pathNamed("socket", text));
}

function pathNamed(key: string, text: string): string | undefined {
  const line = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(?:"([^"\\\\\n]*)"|'([^'\n]*)')`, "m");
  const named = line.exec(text);
  const path = named?.[1] ?? named?.[2] ?? "";
  return isAbsolute(path) ? normalize(path) : undefined;
}
