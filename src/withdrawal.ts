/** How `popgate withdraw` tells a running daemon: a request in the state directory, and a signal. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { lockHolder } from "./lock.ts";
import { replaceFile } from "./replace.ts";
import { stateLock } from "./state-lock.ts";

/** What the daemon is asked. */
export interface Withdrawal {
  /** Whether all grants end, too. */
  readonly forget: boolean;
}

function requestFile(directory: string): string {
  return join(directory, "withdraw");
}

/** Milliseconds that a daemon may take to withdraw: a table is built in far less. */
const patience = 15_000;
const look = 25;

/** Asks the daemon that holds the state directory. Gives false if it has not done so in time. */
export async function requestWithdrawal(
  directory: string,
  withdrawal: Withdrawal,
  clock: Clock,
): Promise<boolean> {
  const file = requestFile(directory);
  await replaceFile(file, 0o600, [JSON.stringify(withdrawal)]);
  const daemon = lockHolder(stateLock(directory));
  if (daemon !== undefined) process.kill(daemon, "SIGUSR2");
  const end = clock.monotonic() + patience;
  while (existsSync(file)) {
    if (clock.monotonic() > end) {
      rmSync(file, { force: true });
      return false;
    }
    await new Promise<void>((resolve) => {
      clock.after(look, resolve);
    });
  }
  return true;
}

/** Gives the request that waits in the state directory, or undefined. */
export function pendingWithdrawal(directory: string): Withdrawal | undefined {
  try {
    const request: unknown = JSON.parse(readFileSync(requestFile(directory), "utf8"));
    return {
      forget:
        typeof request === "object" &&
        request !== null &&
        "forget" in request &&
        request.forget === true,
    };
  } catch {
    return undefined;
  }
}

/** Tells whoever asked that it is done. */
export function withdrawalDone(directory: string): void {
  rmSync(requestFile(directory), { force: true });
}
