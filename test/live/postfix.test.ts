/** The lab alone, no popgate: a real Postfix relays by tables that are made by hand. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { offer } from "../lab/smtp.ts";
import { until } from "../lab/wait.ts";

const client = "127.0.0.2";

describe.skipIf(lacks("root", "postfix"))("a private Postfix", () => {
  let lab: Lab;
  let postfix: Postfix;
  const ports = { hash: 0, btree: 0, lmdb: 0, cdb: 0 };
  const types = ["hash", "btree", "lmdb", "cdb"] as const;
  const table = (type: string): string => `${type}:${lab.path("maps", type)}`;

  beforeAll(async () => {
    lab = await Lab.open();
    for (const type of types) ports[type] = await lab.port();
    postfix = new Postfix(
      lab,
      types.map((type) => ({ port: ports[type], restrictions: relayFor(table(type)) })),
    );
    for (const type of types) await postfix.postmap(table(type));
    await lab.start(postfix);
  });
  afterAll(() => lab.close());

  it.each(types)("relays for whom its %s table names", async (type) => {
    const port = ports[type];
    expect(await offer({ port, client })).toMatchObject({ code: 554 });
    expect(await offer({ port, client }, "postmaster@lab.test")).toMatchObject({ code: 250 });

    await postfix.postmap(table(type), `${client} OK\n`);

    await until("the mail to be taken", async () => (await offer({ port, client })).code === 250);
    expect(await offer({ port, client: "127.0.0.3" })).toMatchObject({ code: 554 });
  });
});
