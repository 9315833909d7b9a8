/** The story that every circuit has to tell: a login opens the relay, and time, a stop or an order closes it. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../lab/lab.ts";
import type { Verdict } from "../lab/mailbox.ts";
import type { Listed, Popgate, Settings } from "../lab/popgate.ts";
import { offer } from "../lab/smtp.ts";
import { until } from "../lab/wait.ts";

/** One way of logging in: over this protocol, from this address. */
export interface Visit {
  readonly protocol: "pop3" | "pop3s" | "imap";
  readonly client: string;
}

/** A log that is followed, and the tables that an MTA reads, with popgate in between. */
export interface Circuit {
  readonly lab: Lab;
  readonly popgate: Popgate;
  readonly settings: Settings;
  /** The SMTP port behind each table, in the order of the settings' maps. */
  readonly doors: readonly number[];
  login(visit: Visit): Promise<Verdict>;
}

const ttl = 6000;
/** A log that stamps whole seconds takes up to one off a grant. */
const early = 1100;
/** Removals are published once a second at most; a fresh ttl for an old login would be later by half of it. */
const late = 2500;

/** Declares the tests of one circuit. The visits come from one address each; the first is used for the long chapters. */
export function story(
  name: string,
  skip: string | undefined,
  visits: readonly [Visit, Visit, ...Visit[]],
  build: (ttl: string) => Promise<Circuit>,
): void {
  describe.skipIf(skip)(name, () => {
    let circuit: Circuit;
    const [first, second] = visits;

    /** What the doors say to a client now: whether all let it pass, none does, or they disagree. */
    const doors = async (
      client: string,
      ports = circuit.doors,
    ): Promise<"open" | "shut" | "mixed"> => {
      const replies = await Promise.all(ports.map((port) => offer({ port, client })));
      if (replies.every(({ code }) => code === 250)) return "open";
      return replies.every(({ code }) => code === 550 || code === 554) ? "shut" : "mixed";
    };
    /** Logs in, waits until every door lets the client pass, and gives the instant of the login. */
    const enter = async (visit: Visit): Promise<number> => {
      const at = performance.now();
      expect(await circuit.login(visit)).toMatchObject({ ok: true });
      await until(
        `the doors to open for ${visit.client}`,
        async () => (await doors(visit.client)) === "open",
      );
      return at;
    };
    /** Waits until no door lets the client pass, which has to be one ttl after the login and not later. */
    const expectEnd = async (client: string, loggedIn: number): Promise<void> => {
      const isShut = async (): Promise<boolean> => (await doors(client)) === "shut";
      await until(`the doors to shut for ${client}`, isShut, { within: 2 * ttl });
      const lasted = performance.now() - loggedIn;
      expect(lasted).toBeGreaterThan(ttl - early);
      expect(lasted).toBeLessThan(ttl + late);
    };

    beforeAll(async () => {
      circuit = await build(`${ttl / 1000}s`);
      await circuit.lab.start(circuit.popgate);
    });
    afterEach(({ task }) => {
      if (task.result?.state === "fail") console.error(circuit.popgate.said());
    });
    afterAll(() => circuit?.lab.close());

    it("refuses whom it does not know", async () => {
      for (const { client } of visits) expect(await doors(client)).toBe("shut");
    });

    for (const visit of visits) {
      it(`lets ${visit.client} relay after a login over ${visit.protocol}`, async () => {
        await enter(visit);
        expect(await doors("127.0.0.99")).toBe("shut");
        const service = visit.protocol.slice(0, 4);
        await circuit.popgate.told(
          new RegExp(`^granted client=${visit.client} user=alice service=${service} `),
        );
      });
    }

    it("ends a grant in time, and not the one that was renewed", async () => {
      const once = await enter(second);
      await enter(first);
      await until("half of the ttl", () => performance.now() > once + ttl / 2);
      const renewed = await enter(first);
      await expectEnd(second.client, once);
      expect(await doors(first.client)).toBe("open");
      await expectEnd(first.client, renewed);
    });

    it("refuses after SIGTERM, and a start gives back what is left, not more", async () => {
      const { popgate } = circuit;
      const at = await enter(first);
      popgate.signal("SIGTERM");
      expect(await popgate.ended).toEqual({ code: 0, signal: null });
      expect(await doors(first.client)).toBe("shut");
      await until("half of the ttl", () => performance.now() > at + ttl / 2);
      await popgate.start();
      expect(await doors(first.client)).toBe("open");
      await expectEnd(first.client, at);
    });

    it("after SIGKILL, `withdraw` refuses, and a start gives back what is left", async () => {
      const { popgate } = circuit;
      const since = thisSecond();
      await enter(first);
      // What is not saved yet comes back too, but from the log.
      await listed(popgate, first.client, since);
      popgate.signal("SIGKILL");
      await popgate.ended;
      expect(await popgate.command("withdraw")).toMatchObject({ code: 0 });
      expect(await doors(first.client)).toBe("shut");
      await popgate.start();
      expect(await doors(first.client)).toBe("open");
    });

    it("after SIGKILL and a start, a grant ends as it would have", async () => {
      const { popgate } = circuit;
      const since = thisSecond();
      await enter(first);
      const { expires } = await listed(popgate, first.client, since);
      popgate.signal("SIGKILL");
      await popgate.ended;
      expect(await doors(first.client)).toBe("open");
      await popgate.start();
      expect(await doors(first.client)).toBe("open");
      expect(await listed(popgate, first.client, since)).toMatchObject({ expires });
    });

    it("after SIGKILL and its ttl, a grant is gone when popgate is ready", async () => {
      const { popgate } = circuit;
      const at = await enter(first);
      popgate.signal("SIGKILL");
      await popgate.ended;
      await until("the grant's end", () => performance.now() > at + ttl, { within: ttl });
      await popgate.start();
      expect(await doors(first.client)).toBe("shut");
    });

    it("`withdraw --forget` refuses at once, and after a start too", async () => {
      const { popgate } = circuit;
      await enter(first);
      expect(await popgate.command("withdraw", "--forget")).toMatchObject({ code: 0 });
      expect(await doors(first.client)).toBe("shut");
      popgate.signal("SIGTERM");
      expect(await popgate.ended).toEqual({ code: 0, signal: null });
      const ordered = thisSecond();
      await popgate.start();
      expect(await doors(first.client)).toBe("shut");
      expect(await popgate.list()).toEqual([]);
      // A log in whole seconds cannot tell a login right after the order from one before: that one is refused, too.
      await until("the next second", () => thisSecond() > ordered);
      await enter(first);
    });

    it("SIGHUP empties a table that the config no longer names", async () => {
      const { popgate, settings } = circuit;
      await enter(first);
      const told = popgate.lines.length;
      await popgate.configure({ ...settings, map: settings.map.slice(0, -1) });
      popgate.signal("SIGHUP");
      await popgate.told(/^reloaded/, told);
      expect(await doors(first.client, circuit.doors.slice(0, -1))).toBe("open");
      expect(await doors(first.client, circuit.doors.slice(-1))).toBe("shut");
    });
  });
}

/** What popgate lists for a client's latest login: the list is what is saved, and that is a moment late. */
function listed(popgate: Popgate, client: string, since: number): Promise<Listed> {
  return until(`${client}'s login in popgate's list`, async () =>
    (await popgate.list()).find(
      (grant) => grant.client === client && Date.parse(grant.expires) >= since + ttl,
    ),
  );
}

/** The beginning of this second: no log stamps what happens from now on earlier than that. */
function thisSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}
