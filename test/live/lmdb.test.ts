/** What lets popgate change an lmdb where it stands: one transaction of postmap, through another name of the file. */

import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Argv, answer, Child, ran } from "../lab/child.ts";
import { Lab } from "../lab/lab.ts";
import { withMounts } from "../lab/namespace.ts";
import { lacks } from "../lab/needs.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { offer, Smtp } from "../lab/smtp.ts";

/** How often postmap is killed; `POPGATE_KILLS=400` for a campaign. */
const kills = Number(process.env["POPGATE_KILLS"] ?? 40);
const size = 20_000;
/** In every version. */
const always = "127.0.0.2";
/** In every second version. */
const sometimes = "127.0.0.3";

function version(net: number): string {
  const lines = Array.from(
    { length: size },
    (_, n) => `${net}.${n >> 16}.${(n >> 8) & 255}.${n & 255}\tOK\n`,
  );
  const last = net === 12 ? `${sometimes}\tOK\n` : "";
  return `${lines.join("")}${always}\tOK\n${last}`;
}

const versions = [version(10), version(12)].map((text) => text.split("\n").filter(Boolean));

describe.skipIf(lacks("root", "postfix"))("an lmdb that postmap changes in place", () => {
  let lab: Lab;
  let postfix: Postfix;
  let port: number;
  let table: string;

  beforeAll(async () => {
    lab = await Lab.open();
    port = await lab.port();
    table = lab.path("maps", "relay");
    postfix = new Postfix(lab, [{ port, restrictions: relayFor(`lmdb:${table}`) }]);
    await postfix.postmap(`lmdb:${table}`, version(10));
    await lab.start(postfix);
  });
  afterAll(() => lab.close());

  function postmap(...argv: string[]): Argv {
    return ["postmap", "-c", postfix.config, ...argv];
  }

  async function dumped(): Promise<string[]> {
    return (await ran(postmap("-s", `lmdb:${table}`))).split("\n").filter(Boolean).toSorted();
  }

  function whichOf(lines: readonly string[]): number {
    return versions.findIndex((one) => one.toSorted().join("\n") === lines.join("\n"));
  }

  /** Asks until it is told to end; gives every answer's code, once. */
  function asking(ask: () => Promise<number>): () => Promise<{ codes: number[]; asked: number }> {
    const ending = new AbortController();
    let asked = 0;
    const codes = new Set<number>();
    const work = (async () => {
      while (!ending.signal.aborted) {
        codes.add(await ask());
        asked++;
      }
    })();
    return async () => {
      ending.abort();
      await work;
      return { codes: [...codes], asked };
    };
  }

  it(`is one whole version after each of ${kills} kills, and all who ask meanwhile are answered`, async () => {
    const open = await Smtp.open({ port, client: always });
    const ends = [
      asking(async () => (await open.offer()).code),
      asking(async () => (await offer({ port, client: always })).code),
      asking(async () => (await answer(postmap("-q", always, `lmdb:${table}`))).code ?? -1),
    ];
    const inode = statSync(`${table}.lmdb`).ino;
    let [ended, changed, before, longest] = [0, 0, 0, 0];
    for (let round = 0; round < kills; round++) {
      const aside = lab.path("maps", `.aside-${round}`);
      const next = round % 2 === 0 ? 12 : 10;
      writeFileSync(aside, version(next));
      linkSync(`${table}.lmdb`, `${aside}.lmdb`);
      const began = performance.now();
      const tool = new Child(postmap(`lmdb:${aside}`));
      // Spread over all that it does; now and then it is faster.
      await pause(((round * 7) % 40) * 1.2);
      tool.signal("SIGKILL");
      const { signal } = await tool.ended;
      if (signal === null) ended++;
      longest = Math.max(longest, performance.now() - began);
      rmSync(aside);
      rmSync(`${aside}.lmdb`);
      const found = whichOf(await dumped());
      expect(found).toBeGreaterThanOrEqual(0);
      if (found !== before) changed++;
      before = found;
    }
    const answers = [];
    for (const end of ends) answers.push(await end());
    await open.quit();
    if (kills > 40) console.log({ kills, ended, changed, longest, answers });
    expect(answers.map(({ codes }) => codes)).toEqual([[250], [250], [0]]);
    expect(statSync(`${table}.lmdb`).ino).toBe(inode);
    expect(ended).toBeLessThan(kills);
  }, 600_000);

  it("reaches the sessions that are open", async () => {
    const session = await Smtp.open({ port, client: sometimes });
    for (const [net, code] of [
      [12, 250],
      [10, 554],
      [12, 250],
    ] as const) {
      const aside = lab.path("maps", ".aside");
      writeFileSync(aside, version(net));
      linkSync(`${table}.lmdb`, `${aside}.lmdb`);
      await ran(postmap(`lmdb:${aside}`));
      rmSync(`${aside}.lmdb`);
      expect((await session.offer()).code).toBe(code);
    }
    await session.quit();
  });
});

describe.skipIf(lacks("root", "postfix"))(
  "an lmdb that outgrows the map size of who reads it",
  () => {
    it("is read on by a session that was open before", async () => {
      const lab = await Lab.open();
      const port = await lab.port();
      const table = lab.path("maps", "relay");
      const postfix = new Postfix(lab, [{ port, restrictions: relayFor(`lmdb:${table}`) }]);
      await postfix.postmap(`lmdb:${table}`, `${always}\tOK\n`);
      await lab.start(postfix);
      const session = await Smtp.open({ port, client: always });
      expect((await session.offer()).code).toBe(250);
      // lmdb_map_size is 16 MiB unless main.cf says otherwise.
      const large = Array.from(
        { length: 500_000 },
        (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}\tOK\n`,
      );
      await postfix.postmap(`lmdb:${table}`, `${large.join("")}${always}\tOK\n`);
      expect(statSync(`${table}.lmdb`).size).toBeGreaterThan(16 * 1024 * 1024);
      expect((await session.offer()).code).toBe(250);
      await postfix.postmap(`lmdb:${table}`, "");
      expect((await session.offer()).code).toBe(554);
      await session.quit();
      await lab.close();
    });
  },
);

describe.skipIf(lacks("root", "postfix", "namespaces"))("a full disk below it", () => {
  it("leaves what was there, and postmap says nothing", async () => {
    const lab = await Lab.open();
    const postfix = new Postfix(lab, []);
    await postfix.configure();
    const disk = await lab.folder("disk");
    await lab.file("old", version(10));
    await lab.file("new", version(12));
    const script = `
      mount -t tmpfs -o size=2500k tmpfs "$1"; shift; config=$1; old=$2; new=$3; cd "${disk}"
      ln -s "$old" aside; postmap -c "$config" lmdb:aside; before=$(stat -c %s aside.lmdb)
      head -c 100M /dev/zero >filler 2>/dev/null || :
      ln -sf "$new" aside; postmap -c "$config" lmdb:aside; echo "status $? grown $(($(stat -c %s aside.lmdb) > before))"
      postmap -c "$config" -s lmdb:aside | sort`;
    const argv = withMounts(script, disk, [postfix.config, lab.path("old"), lab.path("new")]);
    const { stdout, stderr } = await answer(argv);
    expect(stderr).toBe("");
    const [status, ...lines] = stdout.split("\n").filter(Boolean);
    expect(status).toMatch(/^status 0/);
    expect(lines.join("\n")).toBe(
      readFileSync(lab.path("old"), "utf8").trimEnd().split("\n").toSorted().join("\n"),
    );
    await lab.close();
  });
});
