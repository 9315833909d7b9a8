/** Courier -> popgate -> Sendmail; before that the lab alone, with a table made by hand. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Courier } from "../lab/courier.ts";
import { Lab, hasIpv6 } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { Sendmail, makemap } from "../lab/sendmail.ts";
import { offer } from "../lab/smtp.ts";
import { until } from "../lab/wait.ts";
import { type Circuit, story } from "./story.ts";

const client = "127.0.0.2";

describe.skipIf(lacks("root", "namespaces", "sendmail"))("a private Sendmail", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open();
  });
  afterAll(() => lab.close());

  it.each(["hash", "btree"] as const)("relays for whom its %s table names", async (type) => {
    await lab.folder(type);
    const sendmail = new Sendmail(lab, { type, path: lab.path(type, "popauth") });
    await sendmail.makemap();
    const { port } = await lab.start(sendmail);
    expect(await offer({ port, client })).toMatchObject({ code: 550 });
    expect(await offer({ port, client }, "postmaster@mx.lab.test")).toMatchObject({ code: 250 });

    await sendmail.makemap(`${client}\tpopgate\n`);

    expect(await offer({ port, client })).toMatchObject({ code: 250 });
    expect(await offer({ port, client: "127.0.0.3" })).toMatchObject({ code: 550 });
  });
});

describe.skipIf(lacks("root", "namespaces", "rsyslog", "courier"))("a private Courier", () => {
  let lab: Lab;
  let rsyslog: Rsyslog;
  let courier: Courier;
  beforeAll(async () => {
    lab = await Lab.open();
    rsyslog = await lab.start(new Rsyslog(lab));
    courier = await lab.start(new Courier(lab, rsyslog));
  });
  afterAll(() => lab.close());

  it.each([
    ["pop3", client, `pop3d: LOGIN, user=alice, ip=[::ffff:${client}], port=[`],
    ["imap", client, `imapd: LOGIN, user=alice, ip=[::ffff:${client}], port=[`],
    ...(hasIpv6 ? [["pop3", "::1", "pop3d: LOGIN, user=alice, ip=[::1], port=["] as const] : []),
  ] as const)("logs a login over %s from %s", async (protocol, from, line) => {
    expect(await courier.visit(protocol, from)).toMatchObject({ ok: true });
    await until(line, () => rsyslog.read("rfc3164").includes(line));
    expect(rsyslog.read("rfc3339")).toContain(line);
  });
});

async function circuit(ttl: string): Promise<Circuit> {
  const lab = await Lab.open();
  const popgate = new Popgate(lab);
  const sendmails: Sendmail[] = [];
  for (const type of ["hash", "btree"] as const) {
    await lab.folder(type);
    sendmails.push(new Sendmail(lab, { type, path: lab.path(type, "popauth") }));
  }
  const rsyslog = await lab.start(new Rsyslog(lab));
  const courier = await lab.start(new Courier(lab, rsyslog));
  const settings = {
    ttl,
    source: [{ path: rsyslog.rfc3164 }],
    map: sendmails.map(({ table }) => ({
      mta: "sendmail",
      table: `${table.type}:${table.path}`,
      tool: makemap,
    })),
  };
  await popgate.configure(settings);
  await popgate.command("withdraw");
  for (const sendmail of sendmails) await lab.start(sendmail);
  const doors = sendmails.map(({ port }) => port);
  return {
    lab,
    popgate,
    settings,
    doors,
    login: ({ protocol, client: from }) =>
      courier.visit(protocol === "imap" ? "imap" : "pop3", from),
  };
}

story(
  "Courier -> Sendmail",
  lacks("root", "namespaces", "rsyslog", "courier", "sendmail"),
  [
    { protocol: "pop3", client: "127.0.0.2" },
    { protocol: "imap", client: "127.0.0.3" },
  ],
  circuit,
);
