/** What a running popgate does when it is told to: grant, revoke, withdraw. */
import type { Audit } from "./audit-event.ts";
import { grantedBeside } from "./beside.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Control, GrantAnswer } from "./control/control.ts";
import { listedOf } from "./control/shown.ts";
import { exit, failuresOf, KnownError, PublishError, reasonOf } from "./errors.ts";
import type { Gate } from "./grants/gate.ts";
import { reasonTexts } from "./grants/guard.ts";
import type { Log } from "./log.ts";
import { leftOut } from "./maps/ipv6.ts";
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
  /** Called to keep every table empty from now on, and whether that is so. */
  readonly withdraw: () => void;
  readonly self: () => { readonly withdrawn: boolean };
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
    const saved = memory.save().catch((error: unknown) => {
      throw new PublishError(`done, but not saved: a restart forgets it: ${reasonOf(error)}`);
    });
    // A table that cannot be written must not keep it from being saved, nor a disk that is full from being published.
    const [first] = await failuresOf([tables.publish(), saved]);
    if (first !== undefined) throw first;
  };

  const placesOf = (client: Client): Pick<GrantAnswer, "published" | "unpublished"> => {
    const { withdrawn } = parts.self();
    const reason = withdrawn
      ? "popgate is withdrawn: until a reload or restart it stays empty"
      : leftOut;
    const without = withdrawn
      ? tables.configured
      : tables.leavingOut(client, gate.excluded()(client));
    return {
      published: tables.configured.filter((table) => !without.includes(table)),
      unpublished: without.map((table) => ({ table, reason })),
    };
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
      return { ...listedOf(grant), ...placesOf(client) };
    },

    revoke: async ({ for: time = 0, why, ...whom }) => {
      // Who is kept out takes its /64 out of the tables; else each grant there would let it go on.
      const beside = time === 0 && "client" in whom ? grantedBeside(whom.client, gate, tables) : [];
      let ended = 0;
      for (const one of [whom, ...beside.map(({ client }) => ({ client }))]) {
        ended += gate.revoke(one, clock.now() + time, why);
      }
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
