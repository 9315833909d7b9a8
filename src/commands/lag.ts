/** How far a source is behind, in words. */
import type { SourceStatus } from "../control/control.ts";
import { durationOf, sizeOf } from "./columns.ts";

/** How much is not read yet, and for how long that has been so. */
export function lagOf({
  lag_bytes: bytes = 0,
  lag_seconds: seconds,
}: Pick<SourceStatus, "lag_bytes" | "lag_seconds">): string {
  const parts: string[] = [];
  if (bytes > 0) parts.push(sizeOf(bytes));
  if (seconds > 0) parts.push(durationOf(seconds * 1000));
  return parts.length === 0 ? "0" : parts.join(" ");
}
