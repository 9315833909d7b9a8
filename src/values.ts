/** The kinds of values that the config's keys have: what each accepts, and what it says of the rest. */
import { dirname, isAbsolute, normalize } from "node:path";
import { z } from "zod";
import { canonicalClient, networks, type Client } from "./client.ts";
import { names } from "./grants/names.ts";
import type { Format } from "./model.ts";

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestTtl = 30 * units.d;

/** Takes `30m`, gives milliseconds; undefined if it is no duration. */
export function milliseconds(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * units[unit as keyof typeof units];
}

/** `90s`, `30m`, `2h`, `1d`, at most 30 days; gives ms. */
export const duration = z.string().transform((text, context) => {
  const ms = milliseconds(text);
  if (ms !== undefined && ms <= longestTtl) return ms;
  const wrong = ms === undefined ? "is not a duration" : "is longer than 30d";
  context.addIssue(`"${text}" ${wrong}; write it as 90s, 30m, 2h or 1d`);
  return z.NEVER;
});

/** Gives it without `..` and doubled slashes. */
export const absolutePath = z
  .string()
  .refine((path) => isAbsolute(path) && !/[\0-\x1f\x7f]/.test(path), {
    error: (issue) => `"${String(issue.input)}" is not an absolute path; start it with a slash`,
  })
  .transform((path) => normalize(path));

/** Of a Unix socket: the kernel takes 107 bytes, and what is shorter can be opened by every tool. */
export const socketPath = absolutePath.refine((path) => Buffer.byteLength(path) <= 107, {
  error: (issue) => `"${String(issue.input)}" is longer than the 107 bytes of a socket's path`,
});

/** The name of a group, or its number. */
export const group = z.string().refine((text) => /^[A-Za-z0-9_][\w.-]{0,63}$/.test(text), {
  error: (issue) => `"${String(issue.input)}" is no name of a group`,
});

/** `address:port`, IPv6 in brackets. */
export const listenAddress = z.string().refine((text) => addressIn(text) !== undefined, {
  error: (issue) =>
    `"${String(issue.input)}" is no address to listen on; write it as 127.0.0.1:9712 or [::1]:9712`,
});

const loopback = networks(["127.0.0.0/8", "::1"]);

/** Whether it is an address that others than this host can reach. */
export function isForOthers(listen: string): boolean {
  const client = addressIn(listen);
  return client !== undefined && !loopback.has(client);
}

function addressIn(listen: string): Client | undefined {
  const [, four, six, port] = /^(?:([\d.]+)|\[([\da-f:]+)\]):([1-9]\d{0,4})$/i.exec(listen) ?? [];
  return Number(port) <= 65_535 ? canonicalClient(four ?? six ?? "") : undefined;
}

/** `type:/path` or `/path`. */
export const table = z
  .string()
  .refine((text) => /^(?:[a-z][a-z-]*:)?\/[^\0-\x20\x7f]+$/.test(text), {
    error: (issue) =>
      `"${String(issue.input)}" is not a table; write it as type:path or path, the path absolute and without blanks`,
  });

/** `192.0.2.0/24`, `2001:db8::/32`, single addresses; empty by default. */
export const networkList = z.array(z.string().superRefine(takenBy(networks))).default([]);

/** How many bits of an IPv6 client's address are granted: 64 or 128. */
export const ipv6Prefix = z.literal([64, 128], {
  error: ({ input }) =>
    `${JSON.stringify(input)} is neither 128, the client alone, nor 64, the network that it takes its addresses from; most MTAs can look up no other`,
});

/** Names of users, a `*` in each at most. */
export const nameList = z.array(z.string().superRefine(takenBy(names)));

/** Has the reader of a list, which throws RangeError, judge one of its entries. */
function takenBy(read: (texts: readonly string[]) => unknown) {
  return (text: string, context: z.RefinementCtx) => {
    try {
      read([text]);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue(error.message);
    }
  };
}

/** An IANA time zone. */
export const zone = z.string().refine(isZone, {
  error: (issue) =>
    `"${String(issue.input)}" is not a time zone; write it as Europe/Rome, America/New_York or UTC`,
});

/** What the lines of a log begin with. */
export const format = z.enum([
  "syslog",
  "rfc5424",
  "dovecot",
  "qpopper",
  "zimbra",
  "stalwart",
]) satisfies z.ZodType<Format>;

/** From 1 to a million. */
export const count = z.int().min(1).max(1_000_000);

/** A name of a systemd unit or a journal namespace, a syslog identifier, a trusted field's value. */
export const journalValue = z.string().refine((text) => /^[^\0-\x20\x7f=+]+$/.test(text), {
  error: (issue) => `"${String(issue.input)}" cannot stand in a journal; no blanks, no = and no +`,
});

/** One value or several that are as good. */
export const journalValues = z
  .union([journalValue, z.int().min(0).transform(String), z.array(journalValue).min(1)])
  .transform((value): readonly string[] => (typeof value === "string" ? [value] : value));

/** A log: in the last part of its path a `*` stands for any characters. */
export const logPath = absolutePath.refine((path) => !dirname(path).includes("*"), {
  error: (issue) => `"${String(issue.input)}" has a * before its last part`,
});

/** The name of an adapter. */
export const adapterName = z.string().refine((text) => /^[a-z][a-z0-9-]*$/.test(text), {
  error: (issue) => `"${String(issue.input)}" is not made of a-z, 0-9 and -, a letter first`,
});

/** What a program calls itself in syslog. */
export const program = z.string().refine((text) => /^[!-~]+$/.test(text) && !/[:[\]]/.test(text), {
  error: (issue) =>
    `"${String(issue.input)}" cannot be a syslog tag; no blanks, colons and brackets`,
});

/** One text or several; gives a list. */
export const texts = z.preprocess(
  (value) => (typeof value === "string" ? [value] : value),
  z
    .array(z.string(), {
      error: ({ input }) => {
        if (input === undefined) return "is missing";
        return Array.isArray(input)
          ? "needs at least one entry"
          : "must be a text in quotes, or a list of them";
      },
    })
    .min(1),
);

/** Gives ms as the config writes them. */
export function durationText(ms: number): string {
  const unit = (["d", "h", "m", "s"] as const).find((one) => ms % units[one] === 0) ?? "s";
  return `${String(ms / units[unit])}${unit}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text in quotes",
  int: "a whole number",
  number: "a number",
  array: "a list in brackets",
  object: "a table of keys",
};

/** Says of every other fault what would be right, in TOML's words. */
export const plainError: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => `"${String(value)}"`).join(", ")}`;
    case "invalid_union":
      return issue.discriminator === undefined
        ? undefined
        : `must be one of "file", "journal", "stdin"`;
    case "too_small":
      return issue.origin === "array"
        ? "needs at least one entry"
        : `must be at least ${String(issue.minimum)}`;
    case "too_big":
      return `must be at most ${String(issue.maximum)}`;
    default:
      return undefined;
  }
};

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
