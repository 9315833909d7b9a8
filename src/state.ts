/** What survives a stop: grants with their end, how far the logs were read, and every table ever published. */
import { link, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonicalClient, type Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { codeOf, PublishError, reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";
import type { MapSettings } from "./maps/map.ts";
import type { Checkpoints, Grant, OpenLinesBySource, Progress, Revocation } from "./model.ts";
import { replaceFile } from "./replace.ts";

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

const emptyState: State = {
  saved: 0,
  forgotten: 0,
  revocations: [],
  checkpoints: {},
  open: {},
  sources: [],
  tables: [],
  grants: [],
};

/** The file, in the state directory. */
const stateFileName = "state.jsonl";

const instant = z.iso.datetime().transform((text) => Date.parse(text));

const client = z.string().transform((text, context): Client => {
  const canonical = canonicalClient(text);
  if (canonical === text) return canonical;
  context.addIssue("is not a canonical client");
  return z.NEVER;
});

const whole = z.int().min(0);

const tableSchema = z.strictObject({
  mta: z.enum(["postfix", "sendmail", "exim", "opensmtpd"]),
  table: z.string(),
  style: z.enum(["popauth", "access"]).optional(),
  tool: z.string().optional(),
  config_dir: z.string().optional(),
  name: z.string().optional(),
});

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

/** What is taken of a damaged state, each part for itself. */
const restrictingSchema = z.looseObject({
  popgate: z.literal(1),
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

/** The state file is there, and is not what popgate wrote. */
class DamageError extends Error {
  readonly text: string;

  constructor(text: string, cause: unknown) {
    super(cause instanceof z.ZodError ? z.prettifyError(cause) : reasonOf(cause));
    this.text = text;
  }
}

/**
 * Reads the state; a file that is missing gives the empty state.
 * @throws PublishError if the file cannot be read, DamageError if it is torn or foreign
 */
export async function readState(directory: string): Promise<State> {
  const file = join(directory, stateFileName);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return emptyState;
    throw new PublishError(`the state ${file} cannot be read: ${reasonOf(error)}`);
  }
  try {
    return await parseState(text);
  } catch (error) {
    throw new DamageError(text, error);
  }
}

/**
 * Reads the state for somebody who will replace it. A damaged file is set aside and told; of it only that is taken
 * which restricts: the tables, so that they are emptied, who was revoked, and what was forgotten.
 * @throws PublishError if the file cannot be read
 */
export async function loadState(directory: string, clock: Clock, log: Log): Promise<State> {
  try {
    return await readState(directory);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const file = join(directory, stateFileName);
    const stamp = new Date(clock.now()).toISOString().replace(/[:.]/g, "-");
    const aside = `${file}.damaged-${stamp}`;
    // It stays in its place until the next save: should that never come, it is still known which tables there are.
    await link(file, aside).catch(() => {});
    log.warning("state damaged, set aside; grants come back from the logs", {
      file: aside,
      reason: error.message,
    });
    return restrictionsOf(error.text);
  }
}

function restrictionsOf(text: string): State {
  try {
    const header = restrictingSchema.parse(jsonOf(text.slice(0, text.indexOf("\n"))));
    const tables = header.tables.flatMap((table) => tableSchema.safeParse(table).data ?? []);
    const revocations = header.revocations.flatMap(
      (one) => revocationSchema.safeParse(one).data ?? [],
    );
    const forgotten = instant.safeParse(header.forgotten).data ?? 0;
    return { ...emptyState, tables, revocations, forgotten };
  } catch {
    return emptyState;
  }
}

/**
 * Takes the text of a state file: a header, one grant a line, and an end line with their count.
 * @throws ZodError or Error that says what is wrong with it
 */
async function parseState(text: string): Promise<State> {
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
 * Replaces the state file by a whole new one, mode 0600.
 * @throws a system error if it cannot be written; then the old one stays
 */
export async function saveState(directory: string, state: State): Promise<void> {
  await replaceFile(join(directory, stateFileName), 0o600, written(state));
}

function* written({
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
