/** Grants and sources as they are shown, times in ISO 8601 UTC. Pure. */
import type { Grant, Progress } from "../model.ts";
import type { Listed, SourceStatus } from "./control.ts";

/** Takes ms since 1970. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Takes a live grant. */
export function listedOf(grant: Grant): Listed {
  const { client, user, service, adapter, granted, expires, why } = grant;
  const times = { granted: iso(granted), expires: iso(expires) };
  return { client, user, service, adapter, ...times, ...(why === undefined ? {} : { why }) };
}

/** Takes how far a log has been read. */
export function sourceOf({ last_line: last, ...progress }: Progress): SourceStatus {
  return { ...progress, ...(last === undefined ? {} : { last_line: iso(last) }) };
}
