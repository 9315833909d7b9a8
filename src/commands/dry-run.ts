/** What a day of logins would have come to under a config: who would have been granted, and whom the guard refuses. */
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { rulesOf } from "../rules.ts";
import { Gate } from "../grants/gate.ts";
import { ownAddresses } from "../host.ts";
import type { Login } from "../model.ts";
import { note, type Finding } from "./finding.ts";
import { shown } from "./shown.ts";
import { counted } from "./summary.ts";

/** Stands where the log stands. */
class LogClock implements Clock {
  at = 0;
  readonly now = () => this.at;
  readonly monotonic = () => this.at;
  readonly after = () => () => {};
}

/** Takes logins in the order of their time: they pass the guard and make grants, and nothing else is touched. */
export class DryRun {
  readonly #clock = new LogClock();
  readonly #gate: Gate;
  /** The clients that were refused, by the reason. */
  readonly #refused = new Map<string, Set<string>>();
  readonly #clients = new Set<Client>();
  readonly #users = new Set<string>();
  #logins = 0;
  #granting = 0;
  #most = 0;

  constructor(config: Config, own: () => ReadonlySet<Client> = ownAddresses) {
    // The interfaces are looked at once, not with each grant that ends.
    const addresses = own();
    const log = {
      info: (event: string, { client = "", reason = "" }: Record<string, unknown> = {}) => {
        if (event !== "refused") return;
        const clients = this.#refused.get(String(reason)) ?? new Set();
        this.#refused.set(String(reason), clients.add(String(client)));
      },
      warning: () => {},
      error: () => {},
    };
    const parts = { clock: this.#clock, log, ownAddresses: () => addresses };
    this.#gate = new Gate(parts, rulesOf(config));
  }

  take(login: Login, source: string): void {
    this.#clock.at = Math.max(this.#clock.at, login.at);
    while (this.#gate.expire());
    this.#logins++;
    this.#clients.add(login.client);
    this.#users.add(login.user);
    const change = this.#gate.take(login, { source });
    if (change === "granted" || change === "renewed") this.#granting++;
    this.#most = Math.max(this.#most, this.#gate.size);
  }

  /** What it came to. */
  get findings(): Finding[] {
    if (this.#logins === 0) {
      return [note("no login; `popgate match` tells which lines are nearly one")];
    }
    const logins = `${counted(this.#logins, "login")} of ${counted(this.#clients.size, "client")} and ${counted(this.#users.size, "user")}`;
    const refused = [...this.#refused].map(([reason, clients]) => {
      const [first = ""] = clients;
      return note(
        `the guard would have refused ${counted(clients.size, "client")}, ${shown(first)} first: ${reason}`,
      );
    });
    return [
      note(
        `${logins}; ${String(this.#granting)} would have granted, at most ${counted(this.#most, "client")} at a time`,
      ),
      ...refused,
    ];
  }
}
