/** The text of a state: a header, one grant a line, and an end line with their count. */
import { z } from "zod";
import { canonicalClient, type Client } from "./client.ts";
import type { MapSettings } from "./maps/map.ts";
import type { Checkpoints, Grant, OpenLinesBySource, Progress, Revocation } from "./model.ts";

/** All that popgate knows from one run to the next. */
export interface State {
  /** Wall clock, ms since 1970. */
  readonly saved: number;
  /** Logins stamped before this grant nothing: ms since 1970, 0 if nothing was ever forgotten. */
  readonly forgotten: number;
  readonly revocations: readonly Revocation[];
  readonly checkpoints: Checkpoints;
  /** What stood before the checkpoints and is the first half of a login. */
  readonly open: OpenLinesBySource;
  /** What the sources told when it was saved, for people to see. */
  readonly sources: readonly Progress[];
  readonly tables: readonly MapSettings[];
  readonly grants: readonly Grant[];
}

/** The state of one who has never run. */
export const emptyState: State = {
  saved: 0,
  forgotten: 0,
  revocations: [],
  checkpoints: {},
  open: {},
  sources: [],
  tables: [],
  grants: [],
};

const instant = z.iso.datetime().transform((text) => Date.parse(text));

const client = z.string().transform((text, context): Client => {
  const canonical = canonicalClient(text);
  if (canonical === text) return canonical;
  context.addIssue("is not a canonical client");
  return z.NEVER;
});

const whole = z.int().min(0);

/**
 * A later popgate may know other MTAs, styles and keys: whatever it is, a table stays remembered as it was written down.
 * `createMap` refuses what this one cannot write.
 */
const tableSchema = z
  .looseObject({
    mta: z.string(),
    table: z.string(),
    style: z.string().optional(),
    tool: z.string().optional(),
    config_dir: z.string().optional(),
    name: z.string().optional(),
  })
  .transform((table) => table as MapSettings);

const markSchema = z.strictObject({
  dev: whole,
  ino: whole,
  born: z.number().optional(),
  offset: whole,
  anchor: z.base64(),
  head: z.base64(),
  unfinished: z.base64().optional(),
  cut: z.literal(true).optional(),
});

const cursorSchema = z.strictObject({ cursor: z.string() });

const openLineSchema = z.strictObject({ key: z.string(), client, at: instant });

const progressSchema = z.strictObject({
  name: z.string(),
  position: z.string(),
  lag_bytes: whole.optional(),
  lag_seconds: whole,
  lines: whole,
  rotations: whole,
  dropped: z.strictObject({ too_long: whole, unterminated: whole, untrusted: whole }),
  gaps: whole,
  trouble: z.string().optional(),
  last_line: z.number().optional(),
});

const revocationSchema = z.union([
  z.strictObject({ client, until: instant, why: z.string() }),
  z.strictObject({ user: z.string(), until: instant, why: z.string() }),
]);

const headerSchema = z.strictObject({
  popgate: z.literal(1),
  saved: instant,
  forgotten: instant,
  revocations: z.array(revocationSchema).default([]),
  checkpoints: z.record(z.string(), z.union([z.array(markSchema), cursorSchema])),
  open: z.record(z.string(), z.array(openLineSchema)).default({}),
  sources: z.array(progressSchema).default([]),
  tables: z.array(tableSchema),
});

/** What is taken of a damaged state, or of a later version's, each part for itself. */
const restrictingSchema = z.looseObject({
  popgate: z.int().min(1),
  tables: z.array(z.unknown()).default([]),
  revocations: z.array(z.unknown()).default([]),
  forgotten: z.unknown(),
});

const grantSchema = z.strictObject({
  client,
  user: z.string(),
  service: z.string(),
  adapter: z.string(),
  granted: instant,
  renewed: instant,
  expires: instant,
  source: z.string().optional(),
  offset: whole.optional(),
  why: z.string().optional(),
});

const endSchema = z.strictObject({ grants: whole });

/** How many grants are written, or read, before other work has its turn: about a millisecond's worth. */
const slice = 500;

/**
 * Takes the text of a state, and reads it in steps.
 * @throws Error that says what is wrong with it
 */
export async function stateOf(text: string): Promise<State> {
  try {
    return await parsed(text);
  } catch (error) {
    throw error instanceof z.ZodError ? new Error(z.prettifyError(error)) : error;
  }
}

async function parsed(text: string): Promise<State> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("the last line is cut");
  const end = endSchema.parse(jsonOf(lines.pop() ?? ""));
  const { popgate: _, ...header } = headerSchema.parse(jsonOf(lines.shift() ?? ""));
  if (end.grants !== lines.length) {
    throw new Error(
      `it holds ${String(lines.length)} grants and its end says ${String(end.grants)}`,
    );
  }
  const grants: Grant[] = [];
  for (const line of lines) {
    grants.push(grantSchema.parse(jsonOf(line)));
    if (grants.length % slice === 0) await turn();
  }
  return { ...header, grants };
}

/**
 * Takes the text of a state that is damaged, or a later version's, and gives of it only what restricts: the tables, so that they are
 * emptied, who was revoked, and what was forgotten. `unknown` is called for a table that cannot be read.
 */
export function restrictionsOf(text: string, unknown: (table: unknown) => void): State {
  try {
    const header = restrictingSchema.parse(jsonOf(text.slice(0, text.indexOf("\n"))));
    const tables = header.tables.flatMap((table) => {
      const { data } = tableSchema.safeParse(table);
      if (data === undefined) unknown(table);
      return data ?? [];
    });
    const revocations = header.revocations.flatMap(
      (one) => revocationSchema.safeParse(one).data ?? [],
    );
    const forgotten = instant.safeParse(header.forgotten).data ?? 0;
    return { ...emptyState, tables, revocations, forgotten };
  } catch {
    return emptyState;
  }
}

/** Gives the text of a state in pieces, of a millisecond or so each. */
export function* stateText({
  grants,
  saved,
  forgotten,
  revocations,
  open,
  ...rest
}: State): Generator<string> {
  const halves = Object.entries(open).map(
    ([name, lines]) => [name, lines.map((line) => ({ ...line, at: iso(line.at) }))] as const,
  );
  const restrictions = {
    forgotten: iso(forgotten),
    revocations: revocations.map((one) => ({ ...one, until: iso(one.until) })),
  };
  const header = {
    popgate: 1,
    saved: iso(saved),
    ...restrictions,
    open: Object.fromEntries(halves),
    ...rest,
  };
  yield `${JSON.stringify(header)}\n`;
  for (let from = 0; from < grants.length; from += slice) {
    yield grants
      .slice(from, from + slice)
      .map((grant) => `${JSON.stringify(plain(grant))}\n`)
      .join("");
  }
  yield `${JSON.stringify({ grants: grants.length })}\n`;
}

/** Key by key: a live grant holds more than is told. */
function plain({ client, user, service, adapter, source, offset, why, ...times }: Grant) {
  const { granted, renewed, expires } = times;
  return {
    client,
    user,
    service,
    adapter,
    source,
    offset,
    why,
    granted: iso(granted),
    renewed: iso(renewed),
    expires: iso(expires),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function jsonOf(line: string): unknown {
  return JSON.parse(line);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
