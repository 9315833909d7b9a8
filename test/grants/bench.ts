/** A gate on a clock that a test moves, with what it told. */
import type { AuditEvent } from "../../src/audit-event.ts";
import { networks, type Client } from "../../src/client.ts";
import { Gate } from "../../src/grants/gate.ts";
import { names } from "../../src/grants/names.ts";
import type { Rules } from "../../src/grants/rules.ts";
import type { Login } from "../../src/model.ts";
import { createLog } from "../../src/log.ts";
import { ManualClock } from "../manual-clock.ts";

export const minute = 60_000;
export const ttl = 30 * minute;

export interface Bench {
  readonly clock: ManualClock;
  readonly gate: Gate;
  readonly told: string[];
  /** What the audit was told. */
  readonly recorded: AuditEvent[];
  /** The host's own addresses, now and later. */
  readonly own: Set<string>;
  /** Whether the host does not answer. */
  fail: boolean;
  /** A login now, or `ago` ms before. */
  readonly login: (client: string, user?: string, more?: Partial<Login>) => string;
  readonly clients: () => string[];
}

/** The rules of the least config, but for `parts`. */
export function rules(parts: Partial<Rules> = {}): Rules {
  return {
    ttl,
    ttlOf: () => ttl,
    longestTtl: ttl,
    never: networks([]),
    allow: networks([]),
    maxGrants: 100,
    maxClientsPerUser: 32,
    services: new Set(["pop3", "imap"]),
    allowUsers: names(["*"]),
    denyUsers: names([]),
    tooManyClients: "refuse",
    hold: 24 * 60 * minute,
    maxUsersPerClient: 32,
    tooManyUsers: "warn",
    shortTtl: 5 * minute,
    ...parts,
  };
}

export function bench(parts: Partial<Rules> = {}, clock = new ManualClock()): Bench {
  const told: string[] = [];
  const recorded: AuditEvent[] = [];
  const audit = { record: (event: AuditEvent) => void recorded.push(event) };
  const own = new Set(["203.0.113.25"]);
  const log = createLog(clock, (line) => void told.push(line.trimEnd()));
  const ownAddresses = () => {
    if (there.fail) throw new Error("too many open files");
    return new Set(own) as ReadonlySet<string> as ReadonlySet<Client>;
  };
  const there = { clock, told, recorded, own, fail: false };
  const gate = new Gate({ clock, log, ownAddresses, audit }, rules(parts));
  return Object.assign(there, {
    gate,
    login: (name: string, user = "ann", more: Partial<Login> = {}) =>
      gate.take({
        at: clock.now(),
        adapter: "dovecot",
        service: "imap",
        user,
        client: client(name),
        ...more,
      }),
    clients: () => [...gate.clients(0)].sort(),
  });
}

export function client(name: string): Client {
  return name as Client;
}
