/** A month of logins, through the gate into files that are rotated, and a report that is checked against another count. */
import fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openAuditFile } from "../../src/audit/file.ts";
import { Recorder } from "../../src/audit/recorder.ts";
import { canonicalClient, type Client } from "../../src/client.ts";
import { report } from "../../src/commands/report.ts";
import { Gate } from "../../src/grants/gate.ts";
import { createLog } from "../../src/log.ts";
import { rules } from "../grants/bench.ts";
import { ManualClock, settled } from "../manual-clock.ts";
import { GatheringOutside } from "../outside.ts";
import { until } from "../until.ts";

const day = 86_400_000;
const days = 30;
const logins = 100_000;
const users = 400;

/** Numbers below `below`, the same each time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface Count {
  logins: number;
  readonly clients: Set<string>;
  readonly days: Set<string>;
  last: string;
}

test("a report of a month tells what happened, user by user", async () => {
  const directory = fs.mkdtempSync(join(homedir(), ".popgate-month-"));
  const path = join(directory, "audit.log");
  const clock = new ManualClock("2026-10-26T00:00:00Z");
  const told: string[] = [];
  const log = createLog(clock, (line) => void told.push(line));
  const recorder = new Recorder({ clock, log, open: openAuditFile });
  const gate = new Gate(
    { clock, log: createLog(clock, () => {}), ownAddresses: () => new Set(), audit: recorder },
    rules({ maxGrants: 10_000, maxUsersPerClient: 1000 }),
  );
  const pick = seeded(20_261_126);
  const counts = new Map<string, Count>();
  let refused = 0;
  try {
    recorder.configure(path);
    recorder.start();
    for (let n = 0; n < logins; n++) {
      clock.advance(Math.ceil((days * day) / logins) - 200 + pick(400));
      gate.expire();
      // Few come most often, as it is; some of them from shared addresses, some from private ones.
      const user = `user${String(Math.min(pick(users), pick(users)))}`;
      const where = pick(100);
      const name =
        where < 2
          ? `10.0.0.${String(pick(9))}`
          : where < 30
            ? `198.51.100.${String(pick(5))}`
            : where < 40
              ? `2001:db8::${String(1 + pick(50))}`
              : `203.0.113.${user.slice(4)}`.replace(/\d{3}$/, (last) =>
                  String(Number(last) % 250),
                );
      const client = canonicalClient(name) as Client;
      const at = clock.now();
      gate.take(
        { at, adapter: "dovecot", service: "pop3", user, client },
        { source: "/l", offset: n },
      );
      if (where < 2) refused++;
      else {
        const none = { logins: 0, clients: new Set<string>(), days: new Set<string>(), last: "" };
        const count = counts.get(user) ?? none;
        counts.set(user, count);
        count.logins++;
        count.clients.add(client);
        count.last = new Date(at).toISOString();
        count.days.add(count.last.slice(0, 10));
      }
      if (n % 10_000 === 5000) {
        // As logrotate does.
        for (let from = 9; from > 0; from--) {
          for (const end of ["", ".gz"]) {
            const old = `${path}.${String(from)}${end}`;
            if (fs.existsSync(old)) fs.renameSync(old, `${path}.${String(from + 1)}${end}`);
          }
        }
        fs.renameSync(path, `${path}.1`);
        recorder.reopen();
        await until("the new file", () => {
          clock.advance(1);
          return fs.existsSync(path);
        });
        const second = `${path}.2`;
        if (fs.existsSync(second)) {
          fs.writeFileSync(`${second}.gz`, gzipSync(fs.readFileSync(second)));
          fs.rmSync(second);
        }
      }
      if (n % 50 === 0) await settled();
    }
    await recorder.stop();
    expect(told).toEqual([]);

    const outside = new GatheringOutside();
    outside.clock = clock;
    fs.writeFileSync(
      join(directory, "popgate.toml"),
      `audit = "${path}"\n[[source]]\npath = "/l"\n[[map]]\nmta = "exim"\ntable = "/t"\n`,
    );
    await report([], { config: join(directory, "popgate.toml"), json: true }, outside);
    expect(outside.told).toBe("");
    const all = outside.printed
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const reported = all
      .filter(({ kind }) => kind === "user")
      .map(({ user, logins, days, last, clients }) => {
        const names = (clients as { client: string }[]).map(({ client }) => client).sort();
        return [user, { logins, days, last, clients: names }];
      });
    const counted = [...counts].map(([user, count]) => [
      user,
      { ...count, days: count.days.size, clients: [...count.clients].sort() },
    ]);
    expect(Object.fromEntries(reported)).toEqual(Object.fromEntries(counted));
    expect(all.at(-1)).toMatchObject({ kind: "total", logins: logins - refused, lost: 0 });
    const files = fs.readdirSync(directory).filter((name) => name.startsWith("audit.log"));
    expect(files).toHaveLength(11);
  } finally {
    await recorder.stop();
    fs.rmSync(directory, { recursive: true });
  }
}, 60_000);
