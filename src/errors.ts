/** The errors that a user can cause, each with its exit code. All others are bugs of popgate. */

/** Exit codes, from sysexits(3). */
export const exit = {
  ok: 0,
  no: 1,
  usage: 64,
  noInput: 66,
  software: 70,
  cannotCreate: 73,
  tempFail: 75,
  config: 78,
} as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

/** An error that is told in one line, without a stack. */
export class KnownError extends Error {
  override readonly name: string = "KnownError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line is wrong. */
export class UsageError extends KnownError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(message, exit.usage);
  }
}

/** What is wrong with a key of the config, and what would be right. */
export type Fault = readonly [key: string, what: string];

/** The config is wrong, or asks for what this host does not have. One line a fault. */
export class ConfigError extends KnownError {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"), exit.config);
    this.faults = faults;
  }
}

/** A source cannot be read. */
export class SourceError extends KnownError {
  override readonly name = "SourceError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, exit.noInput, options);
  }
}

/** A map or the state cannot be written. */
export class PublishError extends KnownError {
  override readonly name = "PublishError";

  constructor(message: string, exitCode: ExitCode = exit.cannotCreate, options?: ErrorOptions) {
    super(message, exitCode, options);
  }
}

/**
 * Takes whatever was thrown and gives one line that says what happened, its causes behind it.
 * System errors read as their plain words: `permission denied (EACCES)`.
 */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code, errno } = thrown as NodeJS.ErrnoException;
  const own =
    code !== undefined && errno !== undefined ? plainWords(thrown.message, code) : thrown.message;
  return thrown.cause === undefined ? own : `${own}: ${reasonOf(thrown.cause)}`;
}

/**
 * Waits for all of these and gives the errors that users can cause.
 * @throws whatever else one of them threw
 */
export async function failuresOf(tasks: readonly Promise<unknown>[]): Promise<KnownError[]> {
  const failures: KnownError[] = [];
  for (const result of await Promise.allSettled(tasks)) {
    if (result.status === "fulfilled") continue;
    if (!(result.reason instanceof KnownError)) throw result.reason;
    failures.push(result.reason);
  }
  return failures;
}

/** The code of a system error (`ENOENT`), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
}

function plainWords(message: string, code: string): string {
  const words = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1];
  return words === undefined ? `${message} (${code})` : `${words} (${code})`;
}
