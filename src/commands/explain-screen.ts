/** What `popgate explain` shows to people. Pure. */
import type { RefusedStatus } from "../control/control.ts";
import { durationOf, wrapped } from "./columns.ts";
import type { Explained, MapSays } from "./explain.ts";
import { shown } from "./shown.ts";

/** Characters of a line where no screen tells its width. */
const usualWidth = 100;
const indent = " ".repeat(12);

/** Takes what is known, and the present in ms since 1970. */
export function explanationScreen(explained: Explained, now: number, width = usualWidth): string {
  const { client, grant, neighbour, excluded, running, never, revocations, refusals, maps } =
    explained;
  const lines: string[] = [];
  const tell = (title: string, text: string) =>
    lines.push(wrapped(`  ${title.padEnd(8)}  ${text}`, width, indent));
  lines.push(wrapped(`${client} ${verdictOf(explained, now)}`, width, "  "));
  if (grant !== undefined) {
    const { user, service, adapter, granted, renewed, why } = grant;
    if (why !== undefined) tell("order", `${shown(why)}, ${moment(renewed, now)}`);
    else {
      tell("login", `${shown(user)}, by ${service} (${adapter}), ${moment(renewed, now)}`);
      if (granted !== renewed) tell("since", `${moment(granted, now)}, renewed since then`);
    }
    if (grant.source !== undefined) tell("line", placeOf(grant));
    if (explained.line !== undefined)
      lines.push(wrapped(`${indent}${shown(explained.line)}`, width, indent));
  } else if (neighbour !== undefined) {
    tell("network", "its whole /64 is granted (guard.ipv6_prefix), by that login");
  } else if (running && refusals.length === 0 && never === undefined && revocations.length === 0) {
    tell(
      "login",
      "none was read: does `popgate match` know its line, and `popgate check` the log?",
    );
  }
  if (never !== undefined) tell("guard", never);
  if (excluded !== undefined) {
    tell("network", `its /64 is never granted whole while this is excluded: ${excluded.join(" ")}`);
  }
  for (const { user, until, why } of revocations) {
    const whom = user === undefined ? "the client" : `user ${shown(user)}`;
    const which = Date.parse(until) > now ? "until" : "logins before";
    tell("revoked", `${whom}, ${which} ${short(until)}: ${shown(why)}`);
  }
  for (const refused of refusals) tell("refused", refusalText(refused, now));
  for (const map of maps) mapLines(map, tell);
  return `${lines.join("\n")}\n`;
}

function verdictOf({ grant, neighbour, running, withdrawn }: Explained, now: number): string {
  if (neighbour !== undefined) {
    const { client, user, expires } = neighbour;
    const name = `is granted as a neighbour of ${client} (${shown(user)})`;
    return withdrawn === true
      ? `${name}, but popgate is withdrawn`
      : `${name}, until ${short(expires)}`;
  }
  if (grant === undefined) return "is not granted";
  const left = durationOf(Math.max(0, Date.parse(grant.expires) - now));
  const until = `until ${short(grant.expires)}, for ${left} more`;
  if (withdrawn === true) {
    return `is granted ${until}; withdrawn, popgate lets nobody relay until it is reloaded or restarted`;
  }
  return running
    ? `is granted ${until}`
    : `was granted ${until}; stopped, popgate lets nobody relay`;
}

function refusalText(refused: RefusedStatus, now: number): string {
  const { user, service, adapter, at, text, why } = refused;
  const because = why === undefined ? text : `${text} (${shown(why)})`;
  const place = refused.source === undefined ? "" : `; ${placeOf(refused)}`;
  return `${shown(user)}, by ${service} (${adapter}), ${moment(at, now)}: ${because}${place}`;
}

function mapLines(map: MapSays, tell: (title: string, text: string) => void): void {
  const { table, answer, fault, left_out: leftOut, postfix } = map;
  const says =
    fault === undefined
      ? answer === undefined
        ? "does not have it"
        : `answers ${shown(answer)}`
      : `cannot be asked: ${shown(fault)}`;
  tell("map", `${table} ${says}${leftOut ? ": left out, its key would stand for a network" : ""}`);
  if (postfix === undefined) return;
  tell("Postfix", "smtpd_relay_restrictions, in this order:");
  postfix.forEach(({ restriction, says: word }, index) => {
    tell("", `${String(index + 1)}. ${shown(restriction)}: ${shown(word)}`);
  });
  const end = postfix.at(-1)?.ends;
  const verdict = { permitted: "it may relay", refused: "it may not relay" } as const;
  tell("", end === undefined ? "the list ends and refuses nobody" : verdict[end]);
}

function placeOf({
  source = "",
  offset,
}: {
  source?: string | undefined;
  offset?: number | undefined;
}): string {
  return offset === undefined ? shown(source) : `${shown(source)}, byte ${String(offset)}`;
}

function moment(iso: string, now: number): string {
  return `${short(iso)}, ${durationOf(Math.max(0, now - Date.parse(iso)))} ago`;
}

function short(iso: string): string {
  return `${iso.slice(0, 19)}Z`;
}
