/** `popgate grant` and `popgate revoke`: what an administrator orders of the running popgate. */
import { canonicalClient, type Client } from "../client.ts";
import type { GrantAnswer } from "../control/control.ts";
import { exit, UsageError, type ExitCode } from "../errors.ts";
import type { ConfigOptions } from "../setup.ts";
import { duration } from "../values.ts";
import { durationOf } from "./columns.ts";
import type { Outside } from "./command.ts";
import { answerOf, askRunning } from "./running.ts";

interface OrderOptions extends ConfigOptions {
  readonly for?: string | undefined;
  readonly why?: string | undefined;
  readonly user?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Milliseconds: it is answered when the tables are written. */
const patience = 60_000;

/**
 * Grants a client without a login. Gives 0 if a table has it then, else 1.
 * @throws UsageError; KnownError if no popgate runs, or it refuses
 */
export async function grant(
  text: string,
  options: OrderOptions,
  outside: Outside,
): Promise<ExitCode> {
  const client = clientOf(text);
  if (options.for === undefined)
    throw new UsageError("--for is missing: for how long? 90s, 30m, 2h, 1d");
  const body = { client, for: timeOf(options.for), why: options.why };
  const reply = await askRunning(
    options,
    { method: "POST", path: "/grants", body, patience },
    outside,
  );
  const answer = await answerOf<GrantAnswer>(reply);
  if (options.json === true) outside.print(`${JSON.stringify(answer)}\n`);
  else outside.tell(toldOf(answer, outside.clock.now()));
  return answer.published.length > 0 ? exit.ok : exit.no;
}

/** A grant that no table has lets nobody relay. */
function toldOf({ client, expires, published, unpublished }: GrantAnswer, now: number): string {
  const left = durationOf(Math.max(0, Date.parse(expires) - now));
  const until = `until ${expires.slice(0, 19)}Z, for ${left}`;
  const first =
    published.length > 0
      ? `${client} may relay ${until}`
      : `${client} is granted ${until}, and may not relay`;
  const rest = unpublished.map(({ table, reason }) => `not in ${table}: ${reason}`);
  return `${[first, ...rest].join("\n")}\n`;
}

/**
 * Ends a client's grant, or all of a user's; with `for` no login grants again so long.
 * @throws UsageError; KnownError if no popgate runs, or a table could not be written
 */
export async function revoke(
  text: string | undefined,
  options: OrderOptions,
  outside: Outside,
): Promise<ExitCode> {
  const { user, why } = options;
  if ((text === undefined) === (user === undefined)) {
    throw new UsageError("name a client, or a user with --user");
  }
  const whom = text === undefined ? { user } : { client: clientOf(text) };
  const time = options.for === undefined ? undefined : timeOf(options.for);
  const body = { ...whom, for: time, why };
  const reply = await askRunning(
    options,
    { method: "POST", path: "/revocations", body, patience },
    outside,
  );
  const { ended } = await answerOf<{ ended: number }>(reply);
  const what = `${String(ended)} ${ended === 1 ? "grant" : "grants"} ended`;
  outside.tell(
    time === undefined
      ? `${what}; the next login grants again\n`
      : `${what}; kept out for ${time}\n`,
  );
  return exit.ok;
}

function clientOf(text: string): Client {
  const client = canonicalClient(text);
  if (client !== undefined) return client;
  throw new UsageError(`"${text}" is no address; write it as 192.0.2.7 or 2001:db8::7`);
}

function timeOf(text: string): string {
  const { error } = duration.safeParse(text);
  if (error !== undefined) throw new UsageError(`--for: ${error.issues[0]?.message ?? ""}`);
  return text;
}
