/** The commands that ask a running popgate, and what they say where none runs. */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createProgram, isCommanderError } from "../../src/cli.ts";
import { systemClock } from "../../src/clock.ts";
import { ask } from "../../src/control/ask.ts";
import type { Status } from "../../src/control/control.ts";
import { createHttpServer } from "../../src/control/http.ts";
import type { Explained } from "../../src/commands/explain.ts";
import { exit, KnownError } from "../../src/errors.ts";
import { acquireLock } from "../../src/lock.ts";
import { run } from "../../src/run.ts";
import { GatheringOutside } from "../outside.ts";
import { unprivileged } from "../unprivileged.ts";
import { until } from "../until.ts";

let directory: string;
let config: string;
let end: () => Promise<void>;
let outside: GatheringOutside;

const inside = (name: string) => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(homedir(), ".popgate-commands-"));
  config = inside("popgate.toml");
  end = async () => {};
  writeConfig();
});

afterEach(async () => {
  await end();
  rmSync(directory, { recursive: true });
});

function writeConfig(extra = ""): void {
  const text = [
    `ttl = "1h"`,
    `state_dir = "${inside("state")}"`,
    `[[source]]\npath = "${inside("mail.log")}"\nzone = "UTC"`,
    `[[map]]\nmta = "exim"\ntable = "${inside("relay")}"`,
    extra,
  ].join("\n");
  writeFileSync(config, text);
}

/** Runs one command line with a terminal of so many columns, or none. */
async function popgate(argv: readonly string[], columns?: number) {
  outside = new GatheringOutside();
  if (columns !== undefined) outside.screen = { columns: () => columns, rows: () => 24 };
  let code: number = exit.ok;
  try {
    await createProgram(outside, (own) => {
      code = own;
    }).parseAsync([...argv, "--config", config], { from: "user" });
  } catch (error) {
    if (isCommanderError(error)) code = exit.usage;
    else if (error instanceof KnownError) {
      outside.tell(`${error.message}\n`);
      code = error.exitCode;
    } else throw error;
  }
  return { code, printed: outside.printed, told: outside.told };
}

async function running(): Promise<GatheringOutside> {
  const daemon = new GatheringOutside();
  const done = createProgram(daemon, () => {}).parseAsync(["run", "--config", config], {
    from: "user",
  });
  end = async () => {
    daemon.stop();
    await done;
    end = async () => {};
  };
  await until("ready", () => daemon.told.includes("\nready"));
  return daemon;
}

function login(client: string, user = "ann"): void {
  const stamp = new Date().toISOString();
  appendFileSync(
    inside("mail.log"),
    `${stamp} mx dovecot: imap-login: Login: user=<${user}>, method=PLAIN, rip=${client}, lip=198.51.100.1, mpid=7, TLS, session=<a>\n`,
  );
}

async function granted(daemon: GatheringOutside, client: string): Promise<void> {
  await until(`${client} to be granted`, () => daemon.told.includes(`granted client=${client} `));
}

test("status: healthy, with what it has come to", async () => {
  const daemon = await running();
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
  const { code, printed } = await popgate(["status"]);
  expect(code).toBe(exit.ok);
  expect(printed).toMatch(/^healthy\n\npopgate \d+\.\d+\.\d+, node v\d+/);
  expect(printed).toMatch(/^1 of at most 100000 clients granted; last login \d+s ago$/m);
  expect(printed).toMatch(/^logins +dovecot +1$/m);
  for (const columns of [80, 120]) {
    for (const line of (await popgate(["status"], columns)).printed.split("\n")) {
      expect(line.length).toBeLessThanOrEqual(columns);
    }
  }
  const json = JSON.parse((await popgate(["status", "--json"])).printed) as Status;
  expect(json).toMatchObject({
    health: "healthy",
    grants: 1,
    sources: [{ name: inside("mail.log"), lines: 1, last_line: expect.stringMatching(/Z$/) }],
    maps: [{ table: inside("relay"), mta: "exim", failures: 0 }],
    counters: { logins: { dovecot: 1 }, granted: 1 },
  });
});

test("status: unhealthy where a log is gone or a map cannot be written, and says so", async () => {
  await running();
  rmSync(inside("mail.log"), { force: true });
  writeFileSync(inside("relay"), "the admin's own\n");
  await popgate(["grant", "192.0.2.7", "--for", "1h"]);
  expect(outside.told).toMatch(/was not written by popgate/);
  const { code, printed } = await popgate(["status"], 80);
  expect(code).toBe(exit.no);
  const flat = printed.replace(/\n +/g, " ");
  expect(flat).toMatch(
    /^unhealthy ! map .* not written since .* not written by popgate; choose another/,
  );
  expect(flat).toMatch(/ ! source .*: log missing/);
  rmSync(inside("relay"));
  await until("the map to be written again", async () => {
    return !(await popgate(["status"])).printed.includes("! map");
  });
}, 15_000);

test("list: the grants of the running popgate, for people and as JSON Lines", async () => {
  const daemon = await running();
  for (const client of ["192.0.2.7", "2001:db8:1234:5678:9abc:def0:1234:5678"]) {
    login(client, "a-user-with-a-name.that-is@really-long.example.net");
    await granted(daemon, client);
  }
  const { code, printed, told } = await popgate(["list"], 80);
  expect([code, told]).toEqual([exit.ok, ""]);
  const rows = printed.trimEnd().split("\n");
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(80);
  expect(printed).toContain("2001:db8:1234:5678:9abc:def0:1234:5678 ");
  const lines = (await popgate(["list", "--json"])).printed.trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { client: string }).client).sort()).toEqual([
    "192.0.2.7",
    "2001:db8:1234:5678:9abc:def0:1234:5678",
  ]);
  expect((await popgate(["list", "--sources"], 80)).printed).toMatch(/^SOURCE .*LINES/);
});

test("list --watch draws on a terminal until it is stopped, and on nothing else", async () => {
  await running();
  expect(await popgate(["list", "--watch"])).toMatchObject({ code: exit.usage });
  const watching = popgate(["list", "--watch"], 80);
  await until("two drawings", () => outside.printed.split("\u001b[H").length > 2);
  outside.stop();
  expect(await watching).toMatchObject({ code: exit.ok });
});

test("grant, explain, revoke: by order, and back", async () => {
  const daemon = await running();
  expect(await popgate(["grant", "192.0.2.9", "--for", "2h", "--why", "the scanner"])).toEqual({
    code: exit.ok,
    printed: "",
    told: expect.stringMatching(/^192\.0\.2\.9 may relay until .*Z, for 2h00m\n$/),
  });
  const explained = await popgate(["explain", "192.0.2.9"]);
  expect(explained.code).toBe(exit.ok);
  expect(explained.printed).toMatch(
    /^192\.0\.2\.9 is granted until .*, for (?:1h59m|2h00m) more\n {2}order {5}the scanner, /,
  );
  expect(explained.printed).toContain(`map       ${inside("relay")} answers listed`);
  expect(await popgate(["revoke", "192.0.2.9", "--for", "1h", "--why", "enough"])).toMatchObject({
    code: exit.ok,
    told: "1 grant ended; kept out for 1h\n",
  });
  login("192.0.2.9");
  await until("the refusal", () => daemon.told.includes("refused client=192.0.2.9"));
  const after = await popgate(["explain", "192.0.2.9"], 80);
  expect(after.code).toBe(exit.no);
  expect(after.printed).toMatch(/^192\.0\.2\.9 is not granted\n/);
  expect(after.printed).toMatch(/^ {2}revoked +the client, until .*: enough$/m);
  expect(after.printed).toMatch(/^ {2}refused +ann, by imap \(dovecot\), /m);
  expect(after.printed).toContain("relay does not have it");
  for (const line of after.printed.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("explain: the line of the login, if it still stands there", async () => {
  const daemon = await running();
  login("192.0.2.1");
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
  const explained = JSON.parse(
    (await popgate(["explain", "192.0.2.7", "--json"])).printed,
  ) as Explained;
  expect(explained).toMatchObject({
    granted: true,
    running: true,
    grant: { user: "ann", adapter: "dovecot", source: inside("mail.log") },
    maps: [{ table: inside("relay"), left_out: false }],
  });
  expect(explained.line).toContain("rip=192.0.2.7,");
  writeFileSync(inside("mail.log"), "another line altogether\n".repeat(50));
  const later = JSON.parse(
    (await popgate(["explain", "192.0.2.7", "--json"])).printed,
  ) as Explained;
  expect(later.line).toBeUndefined();
});

test.each([
  ["10.1.2.3", /guard +the address is private or special/],
  ["192.0.2.250", /login +none was read/],
])("explain: %s is not granted, and why", async (client, why) => {
  await running();
  const { code, printed } = await popgate(["explain", client]);
  expect(code).toBe(exit.no);
  expect(printed.replace(/\n +/g, " ")).toMatch(why);
});

describe("a whole /64", () => {
  const [granted1, granted2, other] = [
    "2001:db8:1:2::7",
    "2001:db8:1:2:a:b:c:d",
    "2001:db8:1:2::9",
  ];
  const lines = () =>
    readFileSync(inside("relay"), "utf8")
      .split("\n")
      .filter((line) => line.includes("2001:"));
  const start = async () => {
    writeConfig("[guard]\nipv6_prefix = 64");
    const daemon = await running();
    for (const client of [granted1, granted2]) {
      login(client);
      await granted(daemon, client);
    }
    await until("both", () => lines().length === 3);
    expect(lines()).toEqual(["2001:db8:1:2::/64", granted1, granted2]);
    return daemon;
  };

  test("lets a neighbour relay, as explain says, until that one is kept out", async () => {
    const daemon = await start();
    const { code, printed } = await popgate(["explain", other]);
    expect(code).toBe(exit.ok);
    expect(printed).toMatch(
      /^2001:db8:1:2::9 is granted as a neighbour of 2001:db8:1:2:\S+ \(ann\),\s+until/,
    );
    expect(printed).toMatch(/^ {2}network +its whole \/64 is granted/m);
    expect(printed).toContain("relay answers listed");

    const order = await popgate(["revoke", other, "--for", "2s", "--why", "spam"]);
    expect(order.told).toBe("0 grants ended; kept out for 2s\n");
    expect(lines()).toEqual([granted1, granted2]);
    const after = await popgate(["explain", other]);
    expect(after.code).toBe(exit.no);
    expect(after.printed).toMatch(/is not granted[^]*revoked +the client[^]*does not have it/);
    const beside = (await popgate(["explain", granted1])).printed;
    expect(beside).toMatch(/is granted until/);
    expect(beside).toMatch(/^ {2}network +its \/64 is never granted whole .*: 2001:db8:1:2::9$/m);
    login("2001:db8:1:2::8");
    await until("its grant", () => daemon.told.includes("granted client=2001:db8:1:2::8 "));
    expect(daemon.told).toContain(
      "granted without its /64 client=2001:db8:1:2::8 excluded=2001:db8:1:2::9",
    );
    await until("the end of the revocation", () => lines().includes("2001:db8:1:2::/64"));
  }, 20_000);

  test("is revoked with any address of it, until the next login", async () => {
    await start();
    expect((await popgate(["revoke", other])).told).toBe(
      "2 grants ended; the next login grants again\n",
    );
    expect(lines()).toEqual([]);
    login(other);
    await until("its grant", () => lines().length > 0);
    expect(lines()).toEqual(["2001:db8:1:2::/64", other]);
  });

  test("is granted no longer when a reload says so", async () => {
    await start();
    writeConfig("[guard]\nipv6_prefix = 128");
    expect(await popgate(["reload"])).toMatchObject({ code: exit.ok });
    expect(lines()).toEqual([granted1, granted2]);
    expect(await popgate(["explain", other])).toMatchObject({ code: exit.no });
    writeConfig('[guard]\nipv6_prefix = 64\nnever = ["2001:db8:1:2:ffff::/80"]');
    expect(await popgate(["reload"])).toMatchObject({ code: exit.ok });
    expect(lines()).toEqual([granted1, granted2]);
    writeConfig("[guard]\nipv6_prefix = 64");
    expect(await popgate(["reload"])).toMatchObject({ code: exit.ok });
    expect(lines()).toContain("2001:db8:1:2::/64");
  });
});

test("revoke --user ends all of a user's, whatever the case", async () => {
  const daemon = await running();
  for (const client of ["192.0.2.71", "192.0.2.72"]) login(client);
  login("192.0.2.73", "bob");
  await granted(daemon, "192.0.2.73");
  expect(await popgate(["revoke", "--user", "Ann"])).toMatchObject({
    told: "2 grants ended; the next login grants again\n",
  });
  expect((await popgate(["explain", "192.0.2.71"])).printed).toMatch(
    /^ {2}revoked +the client, logins before .*Z: user Ann: by order$/m,
  );
  expect((await popgate(["list", "--json"])).printed.trimEnd().split("\n")).toHaveLength(1);
});

test.each([
  [["grant", "192.0.2.7"], exit.usage, /--for is missing/],
  [["grant", "192.0.2.7", "--for", "2 hours"], exit.usage, /--for: "2 hours" is not a duration/],
  [["grant", "example.net", "--for", "2h"], exit.usage, /is no address/],
  [["grant", "10.0.0.1", "--for", "2h"], exit.no, /private or special/],
  [["grant", "192.0.2.7", "--for", "2h", "--why", "a".repeat(201)], exit.usage, /^why: Too big/],
  [["grant", "192.0.2.7", "--for", "2h", "--why", "a".repeat(9999)], exit.usage, /at most 4096/],
  [["revoke", "--user", ""], exit.usage, /^user: Too small/],
  [["revoke"], exit.usage, /name a client, or a user with --user/],
  [["revoke", "192.0.2.7", "--user", "ann"], exit.usage, /name a client, or a user/],
  [["explain", "192.0.2"], exit.usage, /is no address/],
])("%j is refused", async (argv, code, reason) => {
  await running();
  expect(await popgate(argv)).toMatchObject({ code, told: expect.stringMatching(reason) });
});

test("reload takes the new config, or says what is wrong with it", async () => {
  const daemon = await running();
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
  writeConfig('[guard]\nnever = ["192.0.2.0/24"]\n[control]\ngroup = "daemon"');
  expect(await popgate(["reload"])).toMatchObject({ code: exit.ok, told: "reloaded\n" });
  expect((await popgate(["list"])).told).toBe("no client is granted\n");
  expect(statSync(inside("state/control")).mode & 0o777).toBe(0o660);
  writeConfig("nonsense = 1");
  expect(await popgate(["reload"])).toMatchObject({
    code: exit.tempFail,
    told: expect.stringMatching(/nonsense: there is no such key/),
  });
  expect((await popgate(["status"])).code).toBe(exit.ok);
});

test("reload refuses another state_dir before it does anything there", async () => {
  await running();
  const elsewhere = () =>
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(inside("state"), inside("elsewhere")),
    );
  const socket = inside("state/control");
  const reload = async () =>
    (await ask(socket, { method: "POST", path: "/reload" }, systemClock))?.text();
  elsewhere();
  expect(await reload()).toMatch(/state_dir: cannot change while popgate runs/);
  expect(existsSync(inside("elsewhere"))).toBe(false);
  // Whoever it becomes could perhaps not empty the tables any more.
  mkdirSync(inside("elsewhere"));
  if (process.geteuid?.() === 0) chownSync(inside("elsewhere"), 65_534, 65_534);
  const changes = (["setuid", "setgid", "setgroups"] as const).map((name) =>
    vi.spyOn(process as Required<NodeJS.Process>, name).mockReturnValue(undefined),
  );
  try {
    expect(await reload()).toMatch(/state_dir: cannot change while popgate runs/);
    for (const change of changes) expect(change).not.toHaveBeenCalled();
  } finally {
    vi.restoreAllMocks();
  }
});

test("metrics on the socket, and for the network where the config says so", async () => {
  const port = await freePort();
  writeConfig(`[metrics]\nlisten = "127.0.0.1:${String(port)}"`);
  const daemon = await running();
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
  const socket = inside("state/control");
  const ours = async () =>
    (await ask(socket, { method: "GET", path: "/metrics" }, systemClock))?.text();
  await until("the table to be published", async () =>
    /^popgate_publish_latency_seconds_count 1$/m.test((await ours()) ?? ""),
  );
  const text = (await ours()) ?? "";
  expect(text).toMatch(/^popgate_healthy 1$/m);
  expect(text).toMatch(/^popgate_logins_total\{adapter="dovecot"\} 1$/m);
  expect(text).toMatch(/^popgate_map_overdue_seconds\{table=".*relay"\} 0$/m);
  const answer = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  expect(await answer.text()).toMatch(/^popgate_live_grants 1$/m);
  const other = await fetch(`http://127.0.0.1:${String(port)}/status`);
  expect(other.status).toBe(404);
  writeConfig();
  await popgate(["reload"]);
  await expect(fetch(`http://127.0.0.1:${String(port)}/metrics`)).rejects.toThrow();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("without a running popgate each says so, and what it knows", async () => {
  const daemon = await running();
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
  await end();
  expect(await popgate(["status"])).toMatchObject({
    code: exit.no,
    told: "popgate does not run\n",
  });
  for (const argv of [["grant", "192.0.2.7", "--for", "1h"], ["revoke", "192.0.2.7"], ["reload"]]) {
    expect(await popgate(argv)).toMatchObject({
      code: exit.tempFail,
      told: "popgate does not run\n",
    });
  }
  const listed = await popgate(["list"]);
  expect(listed.printed).toMatch(/^192\.0\.2\.7 +ann/m);
  expect(listed.told).toMatch(/^popgate does not run: this was saved/);
  const explained = await popgate(["explain", "192.0.2.7"]);
  expect(explained).toMatchObject({
    code: exit.no,
    told: "popgate does not run: this is what it saved last\n",
    printed: expect.stringMatching(/^192\.0\.2\.7 was granted until .*; stopped, popgate lets/),
  });
});

test("a popgate that cannot be asked is not taken for one that does not run", async () => {
  await running();
  await end();
  const lock = await acquireLock(inside("state/lock"), run);
  expect((await popgate(["status"])).told).toMatch(/^popgate runs, and does not answer at /);
  lock?.release();
});

test.each([["status"], ["list"], ["explain", "192.0.2.7"], ["reload"]])(
  "%s says in one line that the lock is closed to whoever asks",
  async (...argv) => {
    await unprivileged("popgate-closed-", async (closed) => {
      config = join(closed, "popgate.toml");
      mkdirSync(join(closed, "state"));
      writeFileSync(config, `state_dir = "${closed}/state"\n`);
      writeFileSync(join(closed, "state/lock"), "", { mode: 0 });
      expect(await popgate(argv)).toEqual({
        code: exit.tempFail,
        printed: "",
        told: `whether popgate runs cannot be told: ${closed}/state/lock: permission denied (EACCES); ask as root, or as its user\n`,
      });
    });
  },
);

test("what stands in the socket's place keeps popgate from nothing else", async () => {
  await (await running(), end());
  writeFileSync(inside("state/control"), "the admin's own\n");
  const daemon = await running();
  expect(daemon.told).toMatch(
    /error: popgate cannot be asked reason=".*something else stands there/,
  );
  login("192.0.2.7");
  await granted(daemon, "192.0.2.7");
});

test.each(["a directory", "nothing"])(
  "a stop empties the tables, with %s in the socket's place",
  async (what) => {
    const daemon = await running();
    login("192.0.2.7");
    await until("the table to hold it", () =>
      readFileSync(inside("relay"), "utf8").includes("192.0.2.7"),
    );
    rmSync(inside("state/control"));
    if (what === "a directory") mkdirSync(inside("state/control"));
    await end();
    expect(readFileSync(inside("relay"), "utf8")).not.toContain("192.0.2.7");
    expect(daemon.told).toMatch(/stopped, the tables are empty/);
    expect(daemon.told.includes("error: the control socket stays")).toBe(what === "a directory");
  },
);

test("grant and explain do not say that a client may relay whom no table has", async () => {
  await running();
  await popgate(["withdraw"]);
  const granted = await popgate(["grant", "192.0.2.9", "--for", "2h"]);
  expect(granted).toEqual({
    code: exit.no,
    printed: "",
    told: expect.stringMatching(
      /^192\.0\.2\.9 is granted until .*Z, for 2h00m, and may not relay\nnot in .*relay: popgate is withdrawn: /,
    ),
  });
  const json = await popgate(["grant", "192.0.2.9", "--for", "2h", "--json"]);
  expect([json.code, json.told]).toEqual([exit.no, ""]);
  expect(JSON.parse(json.printed)).toMatchObject({
    client: "192.0.2.9",
    published: [],
    unpublished: [{ table: inside("relay"), reason: expect.stringMatching(/withdrawn/) }],
  });
  const explained = await popgate(["explain", "192.0.2.9"]);
  expect(explained.code).toBe(exit.no);
  expect(explained.printed.replace(/\n +/g, " ")).toMatch(
    /is granted until .*; withdrawn, popgate lets/,
  );
  await popgate(["reload"]);
  expect((await popgate(["grant", "192.0.2.9", "--for", "3h"])).code).toBe(exit.ok);
  expect((await popgate(["explain", "192.0.2.9"])).code).toBe(exit.ok);
});

test.each<[what: string, status: number | undefined, code: number, told: RegExp]>([
  ["withdraws", 200, exit.ok, /^withdrawn by the running popgate: its tables stay empty until/],
  ["fails", 422, exit.tempFail, /^map relay: no space left/],
  [
    "does not run",
    undefined,
    exit.cannotCreate,
    /^nobody answers at .*control, and .*state is another user's: /,
  ],
])("withdraw by a member of the group, where popgate %s", async (_, status, code, told) => {
  const asked: string[] = [];
  const server = createHttpServer(({ method, path, body }) => {
    asked.push(`${method} ${path} ${body}`);
    const error = status === 200 ? {} : { error: "map relay: no space left" };
    const answer = { status: status ?? 500, type: "application/json", body: JSON.stringify(error) };
    return Promise.resolve(answer);
  }, new GatheringOutside().log(false));
  await unprivileged("popgate-member-", async (closed) => {
    process.seteuid?.(0);
    mkdirSync(join(closed, "state"));
    config = join(closed, "popgate.toml");
    const map = `[[map]]\nmta = "exim"\ntable = "${closed}/relay"\n`;
    writeFileSync(
      config,
      `state_dir = "${closed}/state"\n[[source]]\npath = "/var/log/mail.log"\n${map}`,
    );
    if (status !== undefined) {
      await new Promise<void>(
        (resolve) => void server.listen(join(closed, "state/control"), resolve),
      );
      chownSync(join(closed, "state/control"), 0, 65_534);
      chmodSync(join(closed, "state/control"), 0o660);
    }
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([...groups, 65_534]);
    process.seteuid?.(65_534);
    try {
      expect(await popgate(["withdraw"])).toMatchObject({
        code,
        told: expect.stringMatching(told),
      });
      if (status === 200) {
        expect(await popgate(["withdraw", "--unless-running"])).toMatchObject({
          told: expect.stringMatching(/^popgate runs, nothing is withdrawn/),
        });
      }
    } finally {
      process.seteuid?.(0);
      process.setgroups?.(groups);
      await new Promise((resolve) => void server.close(resolve));
      process.seteuid?.(65_534);
    }
    expect(asked).toEqual(
      status === undefined
        ? []
        : status === 200
          ? ['POST /withdrawals {"forget":false}', "GET /status "]
          : ['POST /withdrawals {"forget":false}'],
    );
  });
});
