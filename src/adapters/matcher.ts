/** The stage's one entrance: a line's bytes to a login, a refusal, or nothing. */
import { canonicalClient } from "../client.ts";
import type { Client } from "../client.ts";
import type { Line, Login } from "../model.ts";
import { services, tagsOf } from "./adapter.ts";
import type { Adapter, Service } from "./adapter.ts";
import { entryOf } from "./entry.ts";
import type { Reason, Refusal } from "./refusal.ts";
import { StampReader } from "./time.ts";

/** Bytes: no daemon writes a login this long. */
const longest = 8192;

/** Control characters, and the line and paragraph separators. No daemon writes one into a login. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Canonical addresses that no client can have: 0/8, 224/3, ff00::/8, and ::/96 but for ::1. The private ones and the
 * host's own are the guard's.
 */
const unusable =
  /^(?:0\.|22[4-9]\.|2[345]\d\.|ff[\da-f]{2}:|::$|::(?!1$)[\da-f]{1,4}(?::[\da-f]{1,4})?$)/;

/** What a message says, before its time is looked at. */
interface Reading {
  readonly service: Service;
  readonly user: string;
  readonly client: Client;
}

/** An adapter as one of its programs sees it. */
interface Route {
  readonly adapter: Adapter;
  readonly service: Service | undefined;
}

export { reasonTexts } from "./refusal.ts";
export type { Refusal } from "./refusal.ts";

/** Whether a match is a login; a refusal and undefined are not. */
export function isLogin(match: Login | Refusal | undefined): match is Login {
  return match !== undefined && "client" in match;
}

/** Matches the lines of one source. */
export class Matcher {
  /** Every login's line holds one of these: look for them before anything else. */
  readonly markers: readonly Buffer[];
  /** And is of one of these. */
  readonly programs: readonly string[];
  readonly #routes = new Map<string, Route[]>();
  readonly #stamps: StampReader;

  /**
   * Takes the adapters that count, and the IANA zone in which stamps without an offset are written.
   * @throws RangeError if there is no such zone
   */
  constructor(adapters: readonly Adapter[], options: { readonly zone: string }) {
    this.#stamps = new StampReader(options.zone);
    const markers = new Set(adapters.flatMap((adapter) => adapter.markers));
    this.markers = [...markers].map((marker) => Buffer.from(marker));
    this.programs = [...new Set(adapters.flatMap(tagsOf).map(([tag]) => tag))];
    for (const adapter of adapters) {
      for (const [tag, service] of tagsOf(adapter)) {
        const routes = this.#routes.get(tag);
        if (routes === undefined) this.#routes.set(tag, [{ adapter, service }]);
        else routes.push({ adapter, service });
      }
    }
  }

  /**
   * Takes one line, without its line feed, and the present in ms since 1970. Gives its login, the reason why a line that
   * speaks of a login does not count, or undefined for every other line. Keeps nothing of the line's bytes.
   */
  match(line: Pick<Line, "bytes" | "live" | "prefix">, now: number): Login | Refusal | undefined {
    const { bytes, prefix } = line;
    const isLong = bytes.length > longest;
    const text = bytes.toString("utf8", 0, Math.min(bytes.length, longest));
    const entry = prefix === undefined ? entryOf(text) : { ...prefix, message: text };
    const routes = entry && this.#routes.get(entry.program);
    if (entry === undefined || routes === undefined) return undefined;

    let claim: Route | undefined;
    let claims = 0;
    for (const route of routes) {
      if (!claimsLogin(route.adapter, entry.message)) continue;
      claim ??= route;
      claims++;
    }
    if (claim === undefined) return undefined;
    const adapter = claim.adapter.name;
    if (isLong) return { refused: "long", adapter };
    if (control.test(text)) return { refused: "control", adapter };
    if (claims > 1) return { refused: "ambiguous", adapter };

    const reading = read(claim, entry.message);
    if (typeof reading === "string") return { refused: reading, adapter };
    const at = this.#stamps.at(entry.stamp, now, line.live);
    if (typeof at === "string") return { refused: at, adapter };
    const { service, user, client } = reading;
    return { at, adapter, service, user, client };
  }

  /** The moment that any line with a known prefix tells, in ms since 1970, whatever it says; it may lie ahead of `now`. */
  timeOf(bytes: Buffer, now: number): number | undefined {
    const stamp = entryOf(bytes.toString("latin1", 0, Math.min(bytes.length, longest)))?.stamp;
    return stamp === undefined ? undefined : this.#stamps.instant(stamp, now);
  }
}

function claimsLogin({ markers, opening, logins }: Adapter, message: string): boolean {
  if (!markers.some((marker) => message.includes(marker))) return false;
  if (opening !== undefined) return opening.test(message);
  return logins.some((pattern) => pattern.test(message));
}

function read({ adapter, service: told }: Route, message: string): Reading | Reason {
  const doubt = adapter.doubt?.(message);
  if (doubt !== undefined) return doubt;
  let fields: Readonly<Record<string, string | undefined>> | undefined;
  for (const pattern of adapter.logins) {
    const match = pattern.exec(message);
    if (match === null) continue;
    if (fields !== undefined) return "ambiguous";
    fields = match.groups ?? {};
  }
  if (fields === undefined) return "malformed";

  const word = fields["service"]?.toLowerCase();
  const service = word === undefined ? told : services.find((known) => known === word);
  if (service === undefined) return "malformed";
  const user = fields["user"] ?? "";
  if (user.trim() === "") return "user";
  if (user.toLowerCase() === "anonymous") return "anonymous";
  const client = clientOf(fields["client"] ?? "");
  if (client === undefined) return "address";
  return { service, user: copied(user), client };
}

function clientOf(text: string): Client | undefined {
  const client = canonicalClient(text);
  return client === undefined || unusable.test(client) ? undefined : client;
}

/** A substring keeps the whole line it was cut from alive; a grant outlives its line. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
