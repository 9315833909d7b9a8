import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defineAdapter, type Adapter } from "../src/adapters/adapter.ts";
import { adapters as builtIn } from "../src/adapters/index.ts";
import type { Client } from "../src/client.ts";
import { parseConfig } from "../src/config.ts";
import { summaryOf } from "../src/control/health.ts";
import { Daemon } from "../src/daemon.ts";
import { KnownError, PublishError } from "../src/errors.ts";
import { createLog } from "../src/log.ts";
import { createMap } from "../src/maps/index.ts";
import { run, spawn } from "../src/run.ts";
import type { Setup } from "../src/setup.ts";
import { readState, saveState } from "../src/state.ts";
import type { State } from "../src/state-text.ts";
import { ManualClock } from "./manual-clock.ts";
import { until } from "./until.ts";

const minute = 60_000;
const allAdapters: readonly Adapter[] = builtIn;
let directory: string;
let clock: ManualClock;
let told: string[];
let daemons: Daemon[];
let stdin: PassThrough;

beforeEach(() => {
  // Not below the temp directory: a map must not stand where others can write.
  directory = mkdtempSync(join(homedir(), ".popgate-daemon-"));
  mkdirSync(join(directory, "state"));
  clock = new ManualClock();
  told = [];
  daemons = [];
  stdin = new PassThrough();
});

afterEach(async () => {
  for (const daemon of daemons) await daemon.stop().catch(() => {});
  rmSync(directory, { recursive: true });
});

function setup({
  tables = ["relay"],
  extra = "",
  ttl = "30m",
  adapters = allAdapters,
} = {}): Setup {
  const text = [
    `ttl = "${ttl}"`,
    `state_dir = "${directory}/state"`,
    `[[source]]\npath = "${directory}/mail.log"\nzone = "UTC"`,
    ...tables.map((table) => `[[map]]\nmta = "exim"\ntable = "${directory}/${table}"`),
    extra,
  ].join("\n");
  const config = parseConfig(text, "popgate.toml", ["dovecot", "courier"]);
  const maps = config.map.map(({ table }) => createMap({ mta: "exim", table }));
  return { config, maps, adapters };
}

function create(config = setup()): Daemon {
  const daemon = new Daemon(
    {
      clock,
      log: createLog(clock, (line) => void told.push(line.trimEnd())),
      run,
      spawn,
      ownAddresses: () => new Set(["203.0.113.25" as Client]),
      zone: "UTC",
      input: () => stdin,
      ended: () => void told.push("ended"),
    },
    config,
  );
  daemons.push(daemon);
  return daemon;
}

async function started(config = setup()): Promise<Daemon> {
  const daemon = create(config);
  await daemon.start();
  return daemon;
}

/** Ends a daemon as SIGKILL would: nothing is written any more, and its lock is free. */
async function killed(): Promise<void> {
  const kept = readFileSync(join(directory, "state/state.jsonl"));
  const table = readFileSync(join(directory, "relay"));
  await daemons.pop()?.stop();
  writeFileSync(join(directory, "state/state.jsonl"), kept);
  writeFileSync(join(directory, "relay"), table);
}

function login(client: string, { at = clock.now(), user = "ann", word = "Login" } = {}): void {
  appendFileSync(join(directory, "mail.log"), loginLine(client, at, user, word));
}

function loginLine(client: string, at: number, user: string, word: string): string {
  const stamp = new Date(at).toISOString();
  return `${stamp} mx dovecot: pop3-login: ${word}: user=<${user}>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>\n`;
}

function heard(text: string, pid = 22): void {
  const stamp = new Date(clock.now()).toISOString();
  appendFileSync(join(directory, "mail.log"), `${stamp} mx popa3d[${String(pid)}]: ${text}\n`);
}

function clientsIn(table = "relay"): string[] {
  const text = readFileSync(join(directory, table), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

async function published(clients: string[], table = "relay"): Promise<void> {
  await until(`${table} to hold ${clients.join(" ")}`, async () => {
    await clock.pass(250);
    return JSON.stringify(clientsIn(table)) === JSON.stringify(clients);
  });
}

async function saved(clients: string[]): Promise<void> {
  await until(`the state to hold ${clients.join(" ")}`, async () => {
    await clock.pass(1000);
    const { grants } = await readState(join(directory, "state"));
    return JSON.stringify(grants.map(({ client }) => client).sort()) === JSON.stringify(clients);
  });
}

describe("the circuit", () => {
  test("a login opens the table, time closes it on a quiet log, and each is told", async () => {
    await started();
    expect(clientsIn()).toEqual([]);
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    await clock.pass(30 * minute, minute);
    await published([]);
    expect(told).toEqual([
      expect.stringMatching(/^warning: log missing/),
      "ready grants=0",
      expect.stringMatching(/^following/),
      "granted client=192.0.2.7 user=ann service=pop3 adapter=dovecot until=2026-11-23T06:30:00.000Z",
      "expired client=192.0.2.7 user=ann",
    ]);
  });

  test("a table that somebody removed is written again", async () => {
    await started();
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    rmSync(join(directory, "relay"));
    await until("the table", async () => {
      await clock.pass(1000);
      return existsSync(join(directory, "relay"));
    });
    expect(clientsIn()).toEqual(["192.0.2.7"]);
    expect(told).toContainEqual(expect.stringMatching(/^error: table is gone/));
  });

  test("what was written while it was down counts from its own time", async () => {
    login("192.0.2.1", { at: clock.now() - 31 * minute });
    login("192.0.2.2", { at: clock.now() - 29 * minute });
    await started();
    await published(["192.0.2.2"]);
    await clock.pass(2 * minute, minute);
    await published([]);
  });

  test("a stop empties the table, and a start opens again until the original end", async () => {
    await started();
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    await clock.pass(10 * minute, minute);
    await daemons[0]?.stop();
    expect(clientsIn()).toEqual([]);
    await started();
    expect(clientsIn()).toEqual(["192.0.2.7"]);
    await clock.pass(19 * minute, minute);
    expect(clientsIn()).toEqual(["192.0.2.7"]);
    await clock.pass(minute + 1, 1000);
    await published([]);
  });

  test("after a kill, what is over never comes back, though its line is read again", async () => {
    await started();
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    await saved(["192.0.2.7"]);
    await killed();
    clock.advance(31 * minute);
    rmSync(join(directory, "state/state.jsonl"));
    await started();
    expect(clientsIn()).toEqual([]);
  });

  test("a clock that was set back while it was down lengthens nothing", async () => {
    await started();
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    await clock.pass(10 * minute, minute);
    await daemons[0]?.stop();
    clock.step(-60 * minute);
    await started();
    await clock.pass(20 * minute + 1000, minute);
    await published([]);
  });

  test("refusals are told once, forged and own and private lines grant nothing", async () => {
    await started();
    login("10.0.0.1");
    login("10.0.0.1");
    login("203.0.113.25");
    login("192.0.2.9", { user: "x>, method=PLAIN, rip=192.0.2.66, lip=1.1.1.1, session=<" });
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    expect(told.filter((line) => line.includes("refused"))).toEqual([
      expect.stringMatching(/^refused client=10\.0\.0\.1 .*private/),
      expect.stringMatching(/^refused client=203\.0\.113\.25 .*own/),
      expect.stringMatching(/^warning: line refused reason="the line can be read in two ways"/),
    ]);
  });
});

describe("the guard", () => {
  test("keeps a user out, with all clients, and remembers it across a crash", async () => {
    const held = setup({
      extra: '[guard]\nmax_clients_per_user = 2\ntoo_many_clients = "hold"\nhold = "1h"',
    });
    await started(held);
    login("192.0.2.1");
    login("192.0.2.2");
    login("192.0.2.9", { user: "bob" });
    await published(["192.0.2.1", "192.0.2.2", "192.0.2.9"]);
    login("192.0.2.3");
    await published(["192.0.2.9"]);
    await until("the state to know", async () => {
      await clock.pass(1000);
      return (await readState(join(directory, "state"))).revocations.length === 3;
    });
    await killed();
    await started(held);
    expect(clientsIn()).toEqual(["192.0.2.9"]);
    login("192.0.2.1");
    login("192.0.2.8", { user: "bob" });
    await published(["192.0.2.8", "192.0.2.9"]);
  });

  test("has a source's logins count for a time of their own, those of before it started too", async () => {
    const pop = join(directory, "pop.log");
    const long = setup({ extra: `[[source]]\npath = "${pop}"\nzone = "UTC"\nttl = "2h"` });
    const at = clock.now() - 90 * minute;
    writeFileSync(pop, loginLine("192.0.2.2", at, "ann", "Login"));
    login("192.0.2.1", { at });
    await started(long);
    login("192.0.2.3");
    await published(["192.0.2.2", "192.0.2.3"]);
    await clock.pass(29 * minute, minute);
    expect(clientsIn()).toEqual(["192.0.2.2", "192.0.2.3"]);
    await clock.pass(minute + 1000, minute);
    await published([]);
  });

  test("ends at its time what it has shortened", async () => {
    await started(
      setup({
        extra: '[guard]\nmax_users_per_client = 1\ntoo_many_users = "shorten"\nshort_ttl = "2s"',
      }),
    );
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    login("192.0.2.7", { user: "bob", at: clock.now() + 1000 });
    await until("the line to be read", () => told.some((line) => line.includes("many users")));
    clock.advance(2000);
    await until("the end to be told", () => told.some((line) => line.startsWith("expired")));
    await published([]);
  });
});

describe("a reload", () => {
  test("revokes what no longer passes, and shortens what the new ttl ends sooner", async () => {
    const daemon = await started();
    login("192.0.2.1");
    login("198.51.100.9");
    await published(["192.0.2.1", "198.51.100.9"]);
    await clock.pass(5 * minute, minute);
    await daemon.reload(setup({ ttl: "10m", extra: '[guard]\nnever = ["198.51.100.0/24"]' }));
    expect(clientsIn()).toEqual(["192.0.2.1"]);
    await clock.pass(5 * minute + 1000, minute);
    await published([]);
  });

  test("empties a table that is no longer configured, and fills a new one", async () => {
    const daemon = await started(setup({ tables: ["relay", "second"] }));
    login("192.0.2.1");
    await published(["192.0.2.1"], "second");
    await daemon.reload(setup({ tables: ["relay", "third"] }));
    expect([clientsIn("relay"), clientsIn("second"), clientsIn("third")]).toEqual([
      ["192.0.2.1"],
      [],
      ["192.0.2.1"],
    ]);
    await until("the state to forget the second table", async () => {
      await clock.pass(1000);
      const { tables } = await readState(join(directory, "state"));
      return tables.map(({ table }) => basename(table)).join() === "relay,third";
    });
  });

  test("changes what counts in a log, which goes on where it was, and drops one", async () => {
    const daemon = await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    const { config, ...rest } = setup();
    const source = config.source.map((one) => ({ ...one, adapters: ["courier"] }));
    await daemon.reload({ ...rest, config: { ...config, source } });
    login("192.0.2.2");
    const stamp = new Date(clock.now()).toISOString();
    appendFileSync(
      join(directory, "mail.log"),
      `${stamp} mx imapd: LOGIN, user=bob, ip=[::ffff:192.0.2.3], port=[5], protocol=IMAP\n`,
    );
    await published(["192.0.2.1", "192.0.2.3"]);
    await daemon.reload({ ...rest, config: { ...config, source: [] } });
    await daemon.stop();
    expect((await readState(join(directory, "state"))).checkpoints).toEqual({});
    expect(told.filter((line) => line.startsWith("granted"))).toHaveLength(2);
  });

  test("takes another adapter for the same source, and goes on where it was", async () => {
    const acme = defineAdapter({
      name: "acme",
      proof: "config",
      programs: { imap: [], pop3: ["popa3d"] },
      markers: [" came from "],
      logins: [/^(?<user>[a-z]+) came from (?<client>[^ ]+)$/],
    });
    const daemon = await started(setup({ adapters: [acme] }));
    heard("ann came from 192.0.2.1");
    login("192.0.2.2");
    await published(["192.0.2.1"]);
    const logins = [/^(?<user>[a-z]+) came from \[(?<client>[^ ]+)\]$/];
    await daemon.reload(setup({ adapters: [{ ...acme, logins }] }));
    heard("ann came from 192.0.2.3");
    heard("ann came from [192.0.2.4]");
    await published(["192.0.2.1", "192.0.2.4"]);
    expect(told.filter((line) => line.startsWith("granted"))).toHaveLength(2);
  });

  test("does not move the state", async () => {
    const daemon = await started();
    const { config, ...rest } = setup();
    await expect(
      daemon.reload({ ...rest, config: { ...config, state_dir: "/elsewhere" } }),
    ).rejects.toThrow(/state_dir: cannot change/);
  });
});

describe("a login of two lines", () => {
  const second = "Authentication passed for ann";

  test("opens the table", async () => {
    await started();
    heard("Session from 192.0.2.7");
    heard(second);
    await published(["192.0.2.7"]);
  });

  test("survives a stop between its lines", async () => {
    const daemon = await started();
    heard("Session from 192.0.2.7");
    heard("Session from 192.0.2.8", 23);
    heard("Premature disconnect", 23);
    await daemon.stop();
    const { open } = await readState(join(directory, "state"));
    expect(
      Object.values(open)
        .flat()
        .map(({ client }) => client),
    ).toEqual(["192.0.2.7"]);
    heard(second, 23);
    heard(second);
    // The daemon was away for longer than a login may take.
    await clock.pass(5 * minute, minute);
    await started();
    await published(["192.0.2.7"]);
    expect(told.filter((line) => line.includes("the line before it"))).toHaveLength(1);
  });

  test("survives a crash between its lines", async () => {
    await started();
    heard("Session from 192.0.2.7");
    await until("the state to hold the first line", async () => {
      await clock.pass(1000);
      return Object.keys((await readState(join(directory, "state"))).open).length === 1;
    });
    await killed();
    heard(second);
    await started();
    await published(["192.0.2.7"]);
  });

  test("survives a reload between its lines", async () => {
    const daemon = await started();
    heard("Session from 192.0.2.7");
    const { config, ...rest } = setup();
    const source = config.source.map((one) => ({ ...one, adapters: ["popa3d"] }));
    await daemon.reload({ ...rest, config: { ...config, source } });
    heard(second);
    await published(["192.0.2.7"]);
  });
});

describe("a daemon that changes its words", () => {
  const writers = {
    "mail.log": login,
    stdin: (client: string, { at = clock.now(), user = "ann", word = "Login" } = {}) =>
      void stdin.write(loginLine(client, at, user, word)),
  };

  test.each(Object.entries(writers))("is told of within the hour: %s", async (name, write) => {
    await started(setup({ extra: '[[source]]\ntype = "stdin"\nzone = "UTC"' }));
    const warnings = () => told.filter((line) => line.includes("no login"));
    const signs = (event: string) => told.filter((line) => line.includes(event));
    write("192.0.2.7");
    await published(["192.0.2.7"]);
    const changed = clock.now();
    await until("a warning", async () => {
      write("192.0.2.8", { word: "Welcome" });
      await clock.pass(minute, 1000);
      return warnings().length > 0;
    });
    expect(clock.now() - changed).toBeLessThan(60 * minute);
    expect(warnings()).toEqual([
      expect.stringMatching(
        `^warning: near misses, but no login adapter=dovecot source=[^ ]*${name} count=\\d+ shape="pop3-login: Welcome: user=<\\*>, .*" breaks_at=12 pattern_wants=".*Login`,
      ),
    ]);
    expect(signs("granted")).toHaveLength(1);
    write("192.0.2.9");
    await until("the all-clear", async () => {
      await clock.pass(5000, 1000);
      return signs("logins again").length > 0;
    });
    expect(signs("logins again")).toEqual([
      expect.stringMatching(`^logins again adapter=dovecot source=[^ ]*${name}$`),
    ]);
  });
});

describe("at a start", () => {
  test("a table of an earlier config is emptied", async () => {
    await started(setup({ tables: ["relay", "second"] }));
    login("192.0.2.1");
    await published(["192.0.2.1"], "second");
    await saved(["192.0.2.1"]);
    await killed();
    writeFileSync(join(directory, "second"), readFileSync(join(directory, "relay")));
    await started(setup({ tables: ["relay"] }));
    expect([clientsIn("relay"), clientsIn("second")]).toEqual([["192.0.2.1"], []]);
  });

  test("a second popgate on the same state is refused, and harms nothing", async () => {
    await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    const second = create();
    const refused = await second.start().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(KnownError);
    expect(String(refused)).toMatch(/another popgate \(pid \d+\) runs on/);
    await second.stop();
    expect(clientsIn()).toEqual(["192.0.2.1"]);
  });

  test("grants that the guard refuses by now are dropped", async () => {
    await started();
    login("198.51.100.9");
    await published(["198.51.100.9"]);
    await daemons[0]?.stop();
    await started(setup({ extra: '[guard]\nnever = ["198.51.100.0/24"]' }));
    expect(clientsIn()).toEqual([]);
    expect(told).toContainEqual(expect.stringMatching(/^revoked client=198\.51\.100\.9/));
  });

  test("a path that can never be a log ends it, with the table empty", async () => {
    mkdirSync(join(directory, "mail.log"));
    const daemon = create();
    await expect(daemon.start()).rejects.toThrow(/mail\.log/);
    await daemon.stop();
    expect(clientsIn()).toEqual([]);
  });
});

describe("a stop at a bad moment", () => {
  test("during a reload, leaves the tables empty", async () => {
    const daemon = await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    const reload = daemon.reload(setup({ tables: ["relay", "second"] }));
    await daemon.stop();
    await reload;
    expect(clientsIn()).toEqual([]);
  });

  test("during a start, keeps the state and empties every table that it names", async () => {
    await started(setup({ tables: ["relay", "second"] }));
    login("192.0.2.1");
    await published(["192.0.2.1"], "second");
    await saved(["192.0.2.1"]);
    await killed();
    const second = join(directory, "second");
    writeFileSync(second, readFileSync(join(directory, "relay")));
    const daemon = create(setup());
    const start = daemon.start();
    await daemon.stop();
    await start;
    expect([clientsIn(), clientsIn("second")]).toEqual([[], []]);
    expect((await readState(join(directory, "state"))).grants).toHaveLength(1);
  });

  test("a state that cannot be read is not overwritten", async () => {
    await (await started()).stop();
    const file = join(directory, "state/state.jsonl");
    rmSync(file);
    mkdirSync(file);
    const daemon = create();
    await expect(daemon.start()).rejects.toThrow(/cannot be read/);
    await daemon.stop();
    expect(existsSync(join(file))).toBe(true);
    expect(clientsIn()).toEqual([]);
  });

  test.each([
    ["postfix", `pcre:`],
    ["haraka", "redis:"],
  ])(
    "a former table of %s that this version cannot write stays remembered until it is gone",
    async (mta, type) => {
      await (await started()).stop();
      const state = await readState(join(directory, "state"));
      const foreign = { mta, table: `${type}${directory}/former` } as State["tables"][number];
      await saveState(join(directory, "state"), { ...state, tables: [...state.tables, foreign] });
      writeFileSync(join(directory, "former.idx"), "");
      const daemon = await started();
      expect(told).toContainEqual(
        expect.stringMatching(/^error: a former table cannot be emptied/),
      );
      const fault =
        /^map \S+\/former: this popgate cannot empty what another one wrote for \w+; take it out of the MTA's config, then remove \S+\/former and the files beside it whose names begin with "former."; popgate forgets it when they are gone: /;
      expect(daemon.control.status()).toMatchObject({
        health: "unhealthy",
        reasons: expect.arrayContaining([expect.stringMatching(fault)]),
      });
      login("192.0.2.1");
      await published(["192.0.2.1"]);
      await expect(daemon.control.withdraw({ forget: false })).rejects.toThrow(PublishError);
      expect(clientsIn()).toEqual([]);
      await expect(daemon.stop()).rejects.toThrow(fault);
      expect((await readState(join(directory, "state"))).tables).toContainEqual(foreign);
      const next = await started();
      rmSync(join(directory, "former.idx"));
      await until("it to be forgotten", async () => {
        await clock.pass(1000);
        return (await readState(join(directory, "state"))).tables.length === 1;
      });
      expect(next.control.status().reasons).toEqual([]);
      await next.stop();
    },
  );
});

describe("how it does", () => {
  test("in a line: grants, and what is wrong", async () => {
    writeFileSync(join(directory, "mail.log"), "");
    const daemon = await started();
    const summary = () => summaryOf(daemon.control.status());
    expect(summary()).toBe("0 grants");
    login("192.0.2.7");
    await published(["192.0.2.7"]);
    expect(summary()).toBe("1 grant");
    rmSync(join(directory, "mail.log"));
    await until("the trouble", async () => {
      await clock.pass(1000);
      return summary() === `1 grant; source ${directory}/mail.log: log missing`;
    });
    await clock.pass(5000, 1000);
    rmSync(join(directory, "relay"));
    mkdirSync(join(directory, "relay"));
    await until("the other trouble", async () => {
      await clock.pass(5000, 1000);
      return summary().includes(`; map ${directory}/relay: not written since `);
    });
    rmSync(join(directory, "relay"), { recursive: true });
  });

  test("its heart beats as long as time is heard and logs are looked at", async () => {
    writeFileSync(join(directory, "mail.log"), "");
    const daemon = await started(setup({ extra: `[[source]]\npath = "${directory}/*.other"` }));
    for (let minutes = 0; minutes < 5; minutes++) {
      await clock.pass(minute, 250);
      // A save is as slow as the disk, however fast time passes here.
      await until("its heart", () => clock.monotonic() - daemon.beat() < 2000);
    }
    const stopped = clock.monotonic();
    const after = clock.after.bind(clock);
    clock.after = () => () => {};
    await clock.pass(10 * minute, 250);
    expect(daemon.beat()).toBeLessThan(stopped + 5000);
    clock.after = after;
  });
});

test("what is taken away is saved, though a table cannot be written", async () => {
  const daemon = await started();
  login("192.0.2.7");
  await published(["192.0.2.7"]);
  rmSync(join(directory, "relay"));
  mkdirSync(join(directory, "relay"));
  const order = { client: "192.0.2.7" as Client, for: minute, why: "stolen" };
  await expect(daemon.control.revoke(order)).rejects.toThrow(PublishError);
  expect((await readState(join(directory, "state"))).revocations).toMatchObject([
    { client: order.client, why: "stolen" },
  ]);
  rmSync(join(directory, "relay"), { recursive: true });
});

test("a grant that no table has says so", async () => {
  const daemon = await started();
  const order = { client: "192.0.2.7" as Client, for: minute, why: "a scanner" };
  const table = join(directory, "relay");
  expect(await daemon.control.grant(order)).toMatchObject({ published: [table], unpublished: [] });
  expect(daemon.control.explain(order.client).withdrawn).toBeUndefined();
  await daemon.control.withdraw({ forget: false });
  expect(await daemon.control.grant(order)).toMatchObject({
    published: [],
    unpublished: [{ table, reason: expect.stringMatching(/^popgate is withdrawn/) }],
  });
  expect(daemon.control.explain(order.client)).toMatchObject({ granted: true, withdrawn: true });
  expect(clientsIn()).toEqual([]);
});

test("a grant that one table leaves out says so", async () => {
  const both = setup({ tables: ["relay", "sparse"] });
  const [relay, sparse] = both.maps.map((map, n) =>
    n === 0 ? map : { ...map, leavesOut: () => true },
  );
  if (relay === undefined || sparse === undefined) throw new Error("two maps");
  const daemon = await started({ ...both, maps: [relay, sparse] });
  const order = { client: "192.0.2.7" as Client, for: minute, why: "a scanner" };
  expect(await daemon.control.grant(order)).toMatchObject({
    published: [relay.name],
    unpublished: [{ table: sparse.name, reason: expect.stringMatching(/a whole network/) }],
  });
});

describe("told to withdraw", () => {
  test("it keeps the tables empty, whoever logs in, until a reload", async () => {
    const daemon = await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    await daemon.control.withdraw({ forget: false });
    expect(clientsIn()).toEqual([]);
    login("192.0.2.2");
    await saved(["192.0.2.1", "192.0.2.2"]);
    expect(clientsIn()).toEqual([]);
    await daemon.reload(setup());
    expect(clientsIn()).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  test("while a reload read its config, it keeps them empty until the next one", async () => {
    const daemon = await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    const then = daemon.withdrawals;
    await daemon.control.withdraw({ forget: false });
    await daemon.reload(setup(), then);
    expect(clientsIn()).toEqual([]);
    expect(daemon.control.status().health).toBe("withdrawn");
    await daemon.reload(setup());
    expect(clientsIn()).toEqual(["192.0.2.1"]);
  });

  test("it forgets: only who logs in afterwards is granted, also after a restart without state", async () => {
    const daemon = await started();
    login("192.0.2.1");
    await published(["192.0.2.1"]);
    clock.advance(1000);
    await daemon.control.withdraw({ forget: true });
    expect(clientsIn()).toEqual([]);
    clock.advance(1000);
    login("192.0.2.1", { at: clock.now() - 1500 });
    login("192.0.2.2");
    await published(["192.0.2.2"]);
    await daemon.stop();
    await started();
    expect(clientsIn()).toEqual(["192.0.2.2"]);
  });
});

test("who was revoked stays so, though the log is read again from its start", async () => {
  const daemon = await started();
  login("192.0.2.7");
  login("192.0.2.8", { user: "bob" });
  await published(["192.0.2.7", "192.0.2.8"]);
  const file = join(directory, "state/state.jsonl");
  for (const whom of [{ client: "192.0.2.7" as Client }, { user: "bob" }]) {
    await daemon.control.revoke({ ...whom, why: "stolen" });
  }
  expect(clientsIn()).toEqual([]);
  await killed();
  // Without its checkpoints, as after a log's number of inode came again.
  const state = await readState(join(directory, "state"));
  await saveState(join(directory, "state"), { ...state, checkpoints: {} });
  expect(readFileSync(file, "utf8")).toContain('"192.0.2.7"');
  const next = await started();
  await until("both lines to be read", () => next.control.status().sources[0]?.lines === 2);
  expect(clientsIn()).toEqual([]);
  clock.advance(1);
  login("192.0.2.7");
  await published(["192.0.2.7"]);
});
