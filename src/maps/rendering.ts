/** A map source that is rendered in steps, and how it is known again. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Client } from "../client.ts";
import type { AccessMap, Excluded } from "./map.ts";

/** The whole source of a map. */
export interface Rendering {
  /** In pieces; an empty one holds nothing. */
  readonly text: readonly string[];
  /** Of the text. */
  readonly digest: string;
}

/** Renders a map. Other things have their turn between the pieces: a large map must not hold up the logins. */
export async function rendered(
  map: AccessMap,
  clients: Iterable<Client>,
  excluded?: Excluded,
): Promise<Rendering> {
  const text: string[] = [];
  const hash = createHash("sha256");
  for (const piece of map.render(clients, excluded)) {
    // This also turns it into one flat string, which the write would do for all of them at once.
    hash.update(piece);
    if (text.push(piece) > 1) await setImmediate();
  }
  return { text, digest: hash.digest("base64") };
}
