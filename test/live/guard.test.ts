/** A real Dovecot, and popgate's guard: a user who comes from everywhere, an address that everybody comes from, an address that becomes the host's own. */

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ran } from "../lab/child.ts";
import { Dovecot, password } from "../lab/dovecot.ts";
import { Lab } from "../lab/lab.ts";
import { login } from "../lab/mailbox.ts";
import { inNetworkOf, withNetwork } from "../lab/namespace.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate, type Settings } from "../lab/popgate.ts";
import { until } from "../lab/wait.ts";

// Any name is a user, as long as the password is right; one login process for all is quick.
const everybody = `passdb {
  driver = static
  args = password=${password}
}
service pop3-login {
  service_count = 0
}
`;

function granted(table: string): readonly string[] {
  return existsSync(table) ? (readFileSync(table, "utf8").match(/^[\d.:]+$/gm) ?? []).sort() : [];
}

describe.skipIf(lacks("root", "dovecot"))("Dovecot -> popgate's guard", () => {
  let lab: Lab;
  let dovecot: Dovecot;
  let popgate: Popgate;
  let table: string;

  const settings = (guard: NonNullable<Settings["guard"]>): Settings => ({
    ttl: "10m",
    source: [{ path: dovecot.log }],
    map: [{ mta: "exim", table }],
    guard,
  });
  const enter = async (client: string, user: string): Promise<void> => {
    const port = dovecot.ports.pop3;
    const verdict = await login({ protocol: "pop3", port, client, user, password });
    expect(verdict).toMatchObject({ ok: true });
  };
  /** Takes other rules; what was told before counts no more. */
  const reload = async (guard: NonNullable<Settings["guard"]>): Promise<number> => {
    const told = popgate.lines.length;
    await popgate.configure(settings(guard));
    popgate.signal("SIGHUP");
    await popgate.told(/^reloaded/, told);
    return popgate.lines.length;
  };
  const holds = (...clients: string[]) =>
    until(`the table to hold ${clients.join(" ")}`, () => granted(table).join() === clients.join());

  beforeAll(async () => {
    lab = await Lab.open();
    await lab.folder("maps");
    table = lab.path("maps", "relay");
    dovecot = await lab.start(new Dovecot(lab, { settings: everybody }));
    popgate = new Popgate(lab);
    await popgate.configure(settings({ max_clients_per_user: 10 }));
    await lab.start(popgate);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(popgate.said());
  });
  afterAll(() => lab?.close());

  const botnet = Array.from({ length: 50 }, (_, n) => `127.0.1.${String(n + 1)}`);

  it("a user who logs in from 50 addresses has ten of them granted", async () => {
    for (const client of botnet) await enter(client, "alice");
    await enter("127.0.2.1", "bob");
    await holds(...[...botnet.slice(0, 10), "127.0.2.1"].sort());
    await popgate.told(/^refused client=127.0.1.50 user=alice reason=.*max_clients_per_user/);
  });

  it("or none, where such a user is kept out, also after a restart; and nobody else", async () => {
    const rules = { max_clients_per_user: 20, too_many_clients: "hold" };
    const told = await reload(rules);
    for (const client of botnet) await enter(client, "alice");
    await popgate.told(/^warning: kept out user=alice until=/, told);
    await holds("127.0.2.1");
    popgate.signal("SIGTERM");
    await popgate.ended;
    await popgate.start();
    await enter("127.0.1.1", "ALICE");
    await enter("127.0.2.2", "bob");
    await holds("127.0.2.1", "127.0.2.2");
    await popgate.told(/^refused client=127.0.1.1 user=alice reason=.* why="the user has/);
  });

  const crowd = Array.from({ length: 50 }, (_, n) => `user${String(n)}`);

  it("an address from which 50 users log in is warned of, and granted", async () => {
    const told = await reload({});
    for (const user of crowd) await enter("127.0.3.1", user);
    await popgate.told(/^warning: many users client=127.0.3.1 more_than=32 /, told);
    expect(granted(table)).toContain("127.0.3.1");
  });

  it("or revoked and refused", async () => {
    const told = await reload({ max_users_per_client: 5, too_many_users: "refuse" });
    for (const user of crowd) await enter("127.0.3.1", user);
    await popgate.told(/^revoked client=127.0.3.1 user=user\d+ reason=/, told);
    await enter("127.0.3.2", "carl");
    await holds("127.0.2.1", "127.0.2.2", "127.0.3.2");
  });

  it("or granted for a short time", async () => {
    await reload({ max_users_per_client: 5, too_many_users: "shorten", short_ttl: "3s" });
    for (const user of crowd) await enter("127.0.3.1", user);
    await until("its grant", () => granted(table).includes("127.0.3.1"));
    await until("the end of its grant", () => !granted(table).includes("127.0.3.1"));
  });

  it("users whom the config denies are refused, and revoked at a reload", async () => {
    await enter("127.0.4.1", "Shared");
    await until("its grant", () => granted(table).includes("127.0.4.1"));
    await reload({ deny_users: ["shared", "user*"] });
    expect(granted(table)).not.toContain("127.0.4.1");
    await enter("127.0.4.2", "user7");
    await popgate.told(/^refused client=127.0.4.2 user=user7 reason=.*deny_users/);
  });
});

describe.skipIf(lacks("root", "network", "iproute"))(
  "popgate on a host that gets addresses",
  () => {
    let lab: Lab;
    let popgate: Popgate;

    afterEach(({ task }) => {
      if (task.result?.state === "fail") console.error(popgate.said());
    });
    afterAll(() => lab?.close());

    it("revokes a grant of an address that becomes the host's own, within seconds", async () => {
      lab = await Lab.open();
      await lab.folder("maps");
      const table = lab.path("maps", "relay");
      const log = await lab.file("mail.log", "");
      popgate = new Popgate(lab, "popgate", withNetwork);
      await popgate.configure({
        ttl: "10m",
        source: [{ path: log }],
        map: [{ mta: "exim", table }],
      });
      await lab.start(popgate);
      for (const client of ["192.0.2.7", "192.0.2.8"]) {
        const stamp = new Date().toISOString();
        const words = `Login: user=<alice>, method=PLAIN, rip=${client}, lip=192.0.2.1, mpid=1, session=<a>`;
        appendFileSync(log, `${stamp} mx dovecot: pop3-login: ${words}\n`);
      }
      await until("both grants", () => granted(table).length === 2);
      const addition = ["ip", "addr", "add", "192.0.2.7/32", "dev", "lo"] as const;
      await ran(inNetworkOf(popgate.pid, addition));
      await popgate.told(/^revoked client=192.0.2.7 user=alice reason="the address is one of/);
      await until("its end", () => granted(table).join() === "192.0.2.8");
    });
  },
);
