/** popa3d, solid-pop3d, mailutils -> rsyslog -> popgate: who logs in is granted, who fails to is not. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Pop3d } from "../lab/pop3d.ts";
import { Popgate } from "../lab/popgate.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { until } from "../lab/wait.ts";

const forged = "127.0.0.66";
/** Names that hold what these daemons say of a login, or of the client before it. */
const names = [
  `x authenticated - ${forged}`,
  `x' logged in with mailbox \`/var/mail/x' (1 message)`,
  `Session from ${forged}`,
  `connect from ${forged}`,
  `inet://${forged}:1: undefined ACL result; access allowed`,
];

/** What each logs of these failures; popa3d, and mailutils over POP3, take no name that has a blank. */
const circuits = [
  ["popa3d", "pop3", "Authentication failed for alice"],
  ["solid-pop3d", "pop3", `no such user: x authenticated - ${forged}`],
  ["mailutils", "pop3", "user `alice': authentication failed"],
  ["mailutils", "imap", `user \`inet://${forged}:1: undefined ACL result; access allowed' nonex`],
] as const;

for (const [server, protocol, failure] of circuits) {
  describe.skipIf(lacks("root", "namespaces", "network", "rsyslog", server))(
    `${server} -> popgate, ${protocol}`,
    () => {
      let lab: Lab;
      let rsyslog: Rsyslog;
      let daemon: Pop3d;
      let popgate: Popgate;
      let table: string;

      const granted = (): readonly string[] =>
        existsSync(table) ? (readFileSync(table, "utf8").match(/^[\d.:]+$/gm) ?? []) : [];
      const enter = async (client: string): Promise<void> => {
        expect(await daemon.visit(protocol, client)).toMatchObject({ ok: true });
        await until(`${client} to be granted`, () => granted().includes(client));
      };

      beforeAll(async () => {
        lab = await Lab.open();
        await lab.folder("maps");
        table = lab.path("maps", "relay");
        rsyslog = await lab.start(new Rsyslog(lab));
        daemon = await lab.start(new Pop3d(lab, server, rsyslog));
        popgate = new Popgate(lab);
        await popgate.configure({
          ttl: "10m",
          source: [{ path: rsyslog.rfc3164 }],
          map: [{ mta: "exim", table }],
        });
        await lab.start(popgate);
      });
      afterEach(({ task }) => {
        if (task.result?.state === "fail") console.error(popgate.said(), rsyslog.read("rfc3164"));
      });
      afterAll(() => lab?.close());

      it("a login is granted", async () => {
        await enter("127.0.0.2");
        await popgate.told(
          new RegExp(`^granted client=127.0.0.2 user=alice service=${protocol} adapter=${server} `),
        );
      });

      it("one that fails is not, whatever the name", async () => {
        const accounts = [{ password: "wrong" }, ...names.map((user) => ({ user }))];
        const visits = accounts.map((account) => daemon.visit(protocol, "127.0.0.3", account));
        for (const verdict of await Promise.all(visits))
          expect(verdict).toMatchObject({ ok: false });
        // The log is read in its order: once this one is granted, those before it are judged.
        await enter("127.0.0.4");
        expect(rsyslog.read("rfc3164")).toContain(failure);
        expect(granted()).toEqual(["127.0.0.2", "127.0.0.4"]);
      });
    },
  );
}
