/** What a running popgate does when it is told to: grant, revoke, withdraw. */
import type { Audit } from "./audit-event.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Control } from "./control/control.ts";
import { listedOf } from "./control/shown.ts";
import { exit, KnownError, PublishError, reasonOf } from "./errors.ts";
import type { Gate } from "./grants/gate.ts";
import { reasonTexts } from "./grants/guard.ts";
import type { Log } from "./log.ts";
import type { Tables } from "./maps/tables.ts";
import type { Memory } from "./memory.ts";

interface OrdersParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly gate: Gate;
  readonly tables: Tables;
  readonly memory: Memory;
  readonly audit: Pick<Audit, "record"> | undefined;
  /** Called when a client was granted, as by a login. */
  readonly granted: (client: Client) => void;
  /** Called to keep every table empty from now on. */
  readonly withdraw: () => void;
}

/**
 * Gives what carries orders out. Each resolves when the tables have it, and, where something was taken away, the state; it
 * throws a KnownError where that fails: what was ordered holds all the same, and is tried again.
 */
export function ordersOf(parts: OrdersParts): Pick<Control, "grant" | "revoke" | "withdraw"> {
  const { clock, log, gate, tables, memory } = parts;

  /** Neither a login nor a restart may bring back what was taken away. */
  const takeAway = async (): Promise<void> => {
    memory.change();
    await tables.publish();
    await memory.save().catch((error: unknown) => {
      throw new PublishError(`done, but not saved: a restart forgets it: ${reasonOf(error)}`);
    });
  };

  return {
    grant: async ({ client, for: ttl, why }) => {
      const reason = gate.permit(client, ttl, why);
      if (reason !== undefined) throw new KnownError(reasonTexts[reason], exit.no);
      memory.change();
      parts.granted(client);
      const grant = gate.of(client);
      await tables.publish();
      if (grant === undefined) throw new KnownError("its time is over already", exit.no);
      return listedOf(grant);
    },

    revoke: async ({ for: time = 0, why, ...whom }) => {
      const ended = gate.revoke(whom, clock.now() + time, why);
      await takeAway();
      return { ended };
    },

    withdraw: async ({ forget }) => {
      if (forget) {
        gate.forget();
      } else {
        parts.withdraw();
        parts.audit?.record({ event: "withdrawn" });
      }
      await takeAway();
      log.warning(
        forget ? "withdrawn, all grants forgotten" : "withdrawn until a restart or reload",
      );
      tables.requireWritable();
    },
  };
}
