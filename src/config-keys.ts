/** The keys that a config may have. */
import { z } from "zod";
import { contents } from "./config.ts";

/** Every key that there is, with those above it: `source.path`. */
export function configKeys(): ReadonlySet<string> {
  const keys = new Set<string>();
  gather(z.toJSONSchema(contents, { unrepresentable: "any" }), "", keys);
  return keys;
}

function gather(node: z.core.JSONSchema._JSONSchema, above: string, keys: Set<string>): void {
  if (typeof node === "boolean") return;
  for (const [key, inner] of Object.entries(node.properties ?? {})) {
    keys.add(above + key);
    gather(inner, `${above}${key}.`, keys);
  }
  const within = [node.items ?? [], node.anyOf ?? [], node.oneOf ?? []].flat();
  for (const inner of within) gather(inner, above, keys);
}
