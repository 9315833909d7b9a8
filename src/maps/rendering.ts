/** A map source that is rendered in steps, and how it is known again. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Client } from "../client.ts";
import type { AccessMap, Excluded } from "./map.ts";

/** Gives the text of a map in pieces. Other things have their turn between them: a large map must not hold up the logins. */
export async function rendered(
  map: AccessMap,
  clients: Iterable<Client>,
  excluded?: Excluded,
): Promise<readonly string[]> {
  const text: string[] = [];
  for (const piece of map.render(clients, excluded)) {
    if (text.push(piece) > 1) await setImmediate();
  }
  return text;
}

/** Hashing also turns each piece into one flat string, which the write would do for all of them at once. */
export function digestOf(text: readonly string[]): string {
  const hash = createHash("sha256");
  for (const piece of text) hash.update(piece);
  return hash.digest("base64");
}
