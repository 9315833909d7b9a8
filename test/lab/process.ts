/** What /proc knows about processes, so that the lab can end by pid all that it started, daemonised or not. */

import { readdirSync, readFileSync } from "node:fs";
import { until } from "./wait.ts";

interface Process {
  readonly pid: number;
  readonly state: string;
  readonly session: number;
}

function processAt(pid: number): Process | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The command name is free text in parentheses; what follows the last one is plain.
  const [state, , , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (state === undefined || session === undefined) return undefined;
  return { pid, state, session: Number(session) };
}

/** Whether a process lives. One that nobody has reaped (PID 1 of a bare container does not) is dead. */
export function lives(pid: number): boolean {
  const found = processAt(pid);
  return found !== undefined && found.state !== "Z";
}

/** The living processes of one session. */
export function sessionOf(leader: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processAt(Number(name)))
    .filter((found) => found !== undefined && found.state !== "Z" && found.session === leader)
    .map((found) => (found as Process).pid);
}

/** The children of a process that go by one of these names; none if it has ended. */
export function childrenOf(parent: number, names: readonly string[]): number[] {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "latin1");
    return children
      .split(" ")
      .filter(Boolean)
      .map(Number)
      .filter((pid) => names.includes(nameOf(pid) ?? ""));
  } catch {
    return [];
  }
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1").trimEnd();
  } catch {
    return undefined;
  }
}

/** Waits for the end of everything in a session and kills, pid by pid, what outlives its time. */
export async function endSession(leader: number, within = 5000): Promise<void> {
  const gone = (): boolean => sessionOf(leader).length === 0;
  try {
    await until(`the end of session ${leader}`, gone, { within });
  } catch {
    for (const pid of sessionOf(leader)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has just ended by itself
      }
    }
    await until(`the end of session ${leader} after SIGKILL`, gone, { within });
  }
}
