/** The lab alone, no popgate: a real Dovecot logs its logins, to its own file and to a syslog. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dovecot } from "../lab/dovecot.ts";
import { Lab, hasIpv6 } from "../lab/lab.ts";
import { login } from "../lab/mailbox.ts";
import { lacks } from "../lab/needs.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { until } from "../lab/wait.ts";

const protocols = ["pop3", "pop3s", "imap", "imaps"] as const;
const clients = ["127.0.0.2", ...(hasIpv6 ? ["::1"] : [])];

function logged(file: string, line: RegExp): Promise<true> {
  const look = (): boolean => existsSync(file) && line.test(readFileSync(file, "utf8"));
  return until(`${String(line)} in ${file}`, () => look() || undefined);
}

describe.skipIf(lacks("root", "dovecot"))("a private Dovecot", () => {
  let lab: Lab;
  let dovecot: Dovecot;

  beforeAll(async () => {
    lab = await Lab.open();
    dovecot = await lab.start(new Dovecot(lab));
  });
  afterAll(() => lab.close());

  it.each(protocols.flatMap((protocol) => clients.map((client) => [protocol, client] as const)))(
    "logs a login over %s from %s",
    async (protocol, client) => {
      expect(await dovecot.visit(protocol, client)).toMatchObject({ ok: true });
      const service = protocol.slice(0, 4);
      await logged(
        dovecot.log,
        new RegExp(`${service}-login: Info: Login: user=<alice>.*rip=${client},`),
      );
    },
  );

  it("refuses a wrong password", async () => {
    const port = dovecot.ports.pop3;
    const visit = { protocol: "pop3", port, client: "127.0.0.4", user: "alice" } as const;
    expect(await login({ ...visit, password: "wrong" })).toMatchObject({ ok: false });
  });
});

describe.skipIf(lacks("root", "dovecot", "rsyslog", "namespaces"))(
  "Dovecot through rsyslog",
  () => {
    let lab: Lab;
    let rsyslog: Rsyslog;
    let dovecot: Dovecot;

    beforeAll(async () => {
      lab = await Lab.open();
      rsyslog = await lab.start(new Rsyslog(lab));
      dovecot = await lab.start(new Dovecot(lab, { syslog: rsyslog }));
    });
    afterAll(() => lab.close());

    it("is logged in both formats", async () => {
      expect(await dovecot.visit("imap", "127.0.0.2")).toMatchObject({ ok: true });
      const message = "dovecot: imap-login: Login: user=<alice>.*rip=127\\.0\\.0\\.2,";
      await logged(rsyslog.rfc3339, new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\S+ \\S+ ${message}`, "m"));
      await logged(
        rsyslog.rfc3164,
        new RegExp(`^[A-Z][a-z]{2} [ \\d]\\d [\\d:]{8} \\S+ ${message}`, "m"),
      );
    });
  },
);
