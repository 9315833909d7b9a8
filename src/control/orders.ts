/** The bodies of requests: what each may hold. */
import { z } from "zod";
import { canonicalClient, type Client } from "../client.ts";
import { duration } from "../values.ts";
import type { GrantOrder, RevocationOrder } from "./control.ts";

const client = z.string().transform((text, context): Client => {
  const canonical = canonicalClient(text);
  if (canonical !== undefined) return canonical;
  context.addIssue("is no address");
  return z.NEVER;
});

/** What an administrator says of it: shown to people, and written into logs. */
const why = z.string().max(200).default("by order");
const user = z.string().min(1).max(255);

const grantOrder = z.strictObject({ client, for: duration, why });
const revocationOrder = z.union(
  [
    z.strictObject({ client, for: duration.optional(), why }),
    z.strictObject({ user, for: duration.optional(), why }),
  ],
  { error: "name a client or a user, and for how long if it is to stay so: 90s, 30m, 2h, 1d" },
);
const withdrawal = z.strictObject({ forget: z.boolean().default(false) });

/** What was asked, or what is wrong with it in words. */
type Read<T> = { readonly order: T } | { readonly fault: string };

/** Takes a JSON text. */
export function grantOrderOf(text: string): Read<GrantOrder> {
  return read(grantOrder, text);
}

/** Takes a JSON text. */
export function revocationOrderOf(text: string): Read<RevocationOrder> {
  return read(revocationOrder, text);
}

/** Takes a JSON text; nothing is an order with its defaults. */
export function withdrawalOf(text: string): Read<{ readonly forget: boolean }> {
  return read(withdrawal, text);
}

function read<T>(schema: z.ZodType<T>, text: string): Read<T> {
  let raw: unknown;
  try {
    raw = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return { fault: "the body is not JSON" };
  }
  const result = schema.safeParse(raw);
  if (result.success) return { order: result.data };
  const faults = result.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter((part) => part !== "").join(": "),
  );
  return { fault: faults.join("; ") };
}
