/** `popgate explain`: why a client is granted or not, and what the tables and the MTA say of it. */
import { canonicalClient, type Client } from "../client.ts";
import { ask } from "../control/ask.ts";
import type { Explanation } from "../control/control.ts";
import { iso, listedOf } from "../control/shown.ts";
import { exit, KnownError, reasonOf, UsageError, type ExitCode } from "../errors.ts";
import { isInMynetworks, postfixRestrictions } from "../host.ts";
import type { AccessMap } from "../maps/map.ts";
import { lookUp, type Found } from "../maps/lookup.ts";
import { walk, type Step } from "../maps/restrictions.ts";
import { findPlaces, mapsOf, readConfig, type ConfigOptions } from "../setup.ts";
import { lineAt } from "../sources/line-at.ts";
import { readState } from "../state.ts";
import type { Outside } from "./command.ts";
import { explanationScreen } from "./explain-screen.ts";
import { answerOf, silence } from "./running.ts";

interface ExplainOptions extends ConfigOptions {
  readonly json?: boolean | undefined;
}

/** What one table says of the client, and what the MTA makes of it where it can be told. */
export interface MapSays {
  readonly table: string;
  /** What the table answers; absent if it does not know the client. */
  readonly answer?: string | undefined;
  readonly fault?: string | undefined;
  /** The client is left out on purpose: its key would stand for a network. */
  readonly left_out: boolean;
  readonly postfix?: readonly Step[] | undefined;
}

/** All that is known of a client. */
export interface Explained extends Explanation {
  /** Whether the running popgate says so; else it is what was saved. */
  readonly running: boolean;
  /** The text of the line that granted it, if it still stands there. */
  readonly line?: string | undefined;
  readonly maps: readonly MapSays[];
}

/**
 * Gives 0 if the client, or its whole /64, is granted by a popgate that runs and is not withdrawn, else 1.
 * @throws UsageError for what is no address; KnownError if nothing can be told
 */
export async function explain(
  text: string,
  options: ExplainOptions,
  outside: Outside,
): Promise<ExitCode> {
  const client = canonicalClient(text);
  if (client === undefined) {
    throw new UsageError(`"${text}" is no address; write it as 192.0.2.7 or 2001:db8::7`);
  }
  const { explanation, running } = await explanationOf(client, options, outside);
  const { source, offset } = explanation.grant ?? {};
  const line =
    source === undefined || offset === undefined ? undefined : await lineAt(source, offset);
  const explained: Explained = {
    ...explanation,
    running,
    // After a rotation another line may begin at the same byte.
    ...(line?.includes(client) === true ? { line } : {}),
    maps: await mapsSay(explanation, options, outside),
  };
  if (options.json === true) outside.print(`${JSON.stringify(explained)}\n`);
  else outside.print(explanationScreen(explained, outside.clock.now(), outside.screen?.columns()));
  const { granted, neighbour, withdrawn = false } = explanation;
  const may = granted || neighbour !== undefined;
  return running && may && !withdrawn ? exit.ok : exit.no;
}

async function explanationOf(
  client: Client,
  options: ExplainOptions,
  outside: Outside,
): Promise<{ explanation: Explanation; running: boolean }> {
  const places = findPlaces(options);
  const path = `/explain/${encodeURIComponent(client)}`;
  const reply = await ask(places.controlSocket, { method: "GET", path }, outside.clock);
  if (reply !== undefined) {
    if (!reply.ok) throw new KnownError(await reply.text(), exit.tempFail);
    return { explanation: await answerOf<Explanation>(reply), running: true };
  }
  outside.tell(`${await silence(places, outside)}: this is what it saved last\n`);
  const state = await readState(places.stateDir);
  const grant = state.grants.find((one) => one.client === client);
  const granted = grant !== undefined && grant.expires > outside.clock.now();
  const { source, offset } = grant ?? {};
  return {
    running: false,
    explanation: {
      client,
      granted,
      ...(granted
        ? { grant: { ...listedOf(grant), renewed: iso(grant.renewed), source, offset } }
        : {}),
      revocations: state.revocations
        .filter((one) => "client" in one && one.client === client)
        .map((one) => ({ ...one, until: iso(one.until) })),
      refusals: [],
    },
  };
}

/** A config that cannot be read keeps nothing of the rest from being told. */
async function mapsSay(
  explanation: Explanation,
  options: ExplainOptions,
  outside: Outside,
): Promise<readonly MapSays[]> {
  let maps: readonly AccessMap[];
  try {
    maps = options.stateDir === undefined ? await mapsOf(readConfig(options), outside.run) : [];
  } catch (error) {
    outside.tell(`no table was asked: ${reasonOf(error)}\n`);
    return [];
  }
  return Promise.all(maps.map((map) => mapSays(map, explanation, outside)));
}

async function mapSays(
  map: AccessMap,
  { client: name, excluded = [] }: Explanation,
  outside: Outside,
): Promise<MapSays> {
  const client = name as Client;
  const found: Found = await lookUp(map, client, outside);
  const answer = "fault" in found ? undefined : found.value;
  return {
    table: map.name,
    ...(answer === undefined ? {} : { answer }),
    ...("fault" in found ? { fault: found.fault } : {}),
    left_out: map.leavesOut?.(client, excluded) ?? false,
    ...(await postfixSays(map, client, answer, outside)),
  };
}

async function postfixSays(
  { name, settings }: AccessMap,
  client: Client,
  answer: string | undefined,
  { run }: Outside,
): Promise<Pick<MapSays, "postfix">> {
  if (settings.mta !== "postfix") return {};
  const restrictions = await postfixRestrictions(settings.config_dir, run);
  if (restrictions === undefined) return {};
  const isOwn = isInMynetworks(restrictions.mynetworks, client);
  return { postfix: walk(restrictions.relay, name, { isOwn, answer }) };
}
