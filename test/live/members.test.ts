/** Whom a running popgate obeys over its socket: a member of `control.group`, nobody else, and a crowd no less than one. */
import fs from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, type Argv, answer } from "../lab/child.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate } from "../lab/popgate.ts";

/** Debian's users and groups of these numbers are in every container; nobody logs in as them. */
const [daemon, bin, nobody] = [1, 2, 65_534];
const client = "127.0.0.7";

let lab: Lab;
let popgate: Popgate;
let table: string;
let socket: string;

beforeEach(async () => {
  lab = await Lab.open();
  await lab.folder("popgate/state", nobody);
  const maps = await lab.folder("maps", nobody);
  table = `${maps}/relay`;
  socket = lab.path("popgate", "state", "control");
  const log = await lab.file("mail.log", "");
  popgate = new Popgate(lab, "popgate", (argv) => as(nobody, [nobody, daemon], argv));
  await popgate.configure({
    ttl: "30m",
    source: [{ path: log }],
    map: [{ mta: "exim", table }],
    control: { group: "daemon" },
  });
  await lab.start(popgate);
});

afterEach(() => lab.close());

describe.skipIf(lacks("root"))("the control socket of a popgate that runs as another user", () => {
  it("obeys a member of the group", async () => {
    expect(fs.statSync(socket)).toMatchObject({ uid: nobody, gid: daemon });
    const granted = await member("grant", client, "--for", "1h");
    expect(granted).toMatchObject({ code: 0, stderr: expect.stringMatching(/may relay until/) });
    expect(relaying()).toBe(true);
    expect((await member("explain", client)).code).toBe(0);
    expect(await member("revoke", client)).toMatchObject({
      code: 0,
      stderr: "1 grant ended; the next login grants again\n",
    });
    expect(relaying()).toBe(false);
    await member("grant", client, "--for", "1h");
    expect(await member("withdraw", "--unless-running")).toMatchObject({
      code: 0,
      stderr: "popgate runs, nothing is withdrawn\n",
    });
    expect(relaying()).toBe(true);
    expect(await member("withdraw")).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^withdrawn by the running popgate: /),
    });
    expect(relaying()).toBe(false);
    expect(await member("status")).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^withdrawn\n/),
    });
    expect((await member("reload")).code).toBe(0);
    expect(relaying()).toBe(true);
    await popgate.stop();
    expect(await member("withdraw")).toMatchObject({
      code: 73,
      stderr: expect.stringMatching(/^popgate: nobody answers at .*without a running popgate only/),
    });
  });

  it("obeys nobody else", async () => {
    await member("grant", client, "--for", "1h");
    const orders = ["grant 127.0.0.8 --for 1h", `revoke ${client}`, "withdraw", "reload", "status"];
    for (const order of [...orders, "list", `explain ${client}`, "withdraw --unless-running"]) {
      const told = await stranger(...order.split(" "));
      expect([order, told.code, told.stdout, told.stderr]).toEqual([
        order,
        75,
        "",
        `popgate: the running popgate may not be asked at ${socket}: permission denied (EACCES); ask as root, as its user, or as a member of control.group\n`,
      ]);
    }
    expect(relaying()).toBe(true);
    expect(relaying("127.0.0.8")).toBe(false);
  });

  it("stands two hundred reloads at once, half requests and far too long ones", async () => {
    await member("grant", client, "--for", "1h");
    const halves = Array.from({ length: 10 }, half);
    const posts = Array.from({ length: 200 }, () => {
      popgate.signal("SIGHUP");
      return post("/reload", "");
    });
    const answers = await Promise.all(posts);
    // More than a few at a time are turned away at the door; whoever is let in, is served.
    expect(answers.filter((status) => status === 200).length).toBeGreaterThanOrEqual(10);
    expect(answers.filter((status) => status !== 200 && status !== undefined)).toEqual([]);
    expect([413, undefined]).toContain(await post("/grants", "a".repeat(10_000_000)));
    await Promise.all(halves);
    const { code, stdout } = await member("status", "--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { health: "healthy", grants: 1 }]);
    expect(relaying()).toBe(true);
    // The last reload was asked for after all the others.
    const told = popgate.lines.length;
    expect((await member("reload")).code).toBe(0);
    await popgate.told(/^reloaded/, told);
    expect(popgate.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

function as(user: number, [own, ...groups]: readonly number[], argv: Argv): Argv {
  const further = groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`;
  return ["setpriv", `--reuid=${String(user)}`, `--regid=${String(own)}`, further, ...argv];
}

function member(...argv: string[]): Promise<Answer> {
  return answer(as(bin, [bin, daemon], popgate.argv(...argv)));
}

function stranger(...argv: string[]): Promise<Answer> {
  return answer(as(bin, [bin], popgate.argv(...argv)));
}

function relaying(who = client): boolean {
  return fs.readFileSync(table, "utf8").split("\n").includes(who);
}

/** The status of the answer; undefined if there was none. */
function post(path: string, body: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: socket, method: "POST", path, agent: false });
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once("error", () => resolve(undefined));
    asked.end(body);
  });
}

/** Resolves when popgate has had enough of waiting for the rest. */
function half(): Promise<void> {
  return new Promise((resolve) => {
    const asking = connect(socket);
    asking.on("error", () => {});
    asking.once("close", () => resolve());
    asking.resume();
    asking.write('POST /grants HTTP/1.1\r\nhost: popgate\r\ncontent-length: 99\r\n\r\n{"cl');
  });
}
