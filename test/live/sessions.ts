/** Sessions at real MTAs while popgate publishes without a pause: who is in relays every time, who is not never does. */

import { setTimeout as pause } from "node:timers/promises";
import { statSync } from "node:fs";
import { Crowd } from "../lab/crowd.ts";
import { Exim } from "../lab/exim.ts";
import { Lab } from "../lab/lab.ts";
import { lacks } from "../lab/needs.ts";
import { Opensmtpd } from "../lab/opensmtpd.ts";
import { Popgate } from "../lab/popgate.ts";
import { Postfix, relayFor } from "../lab/postfix.ts";
import { Sendmail } from "../lab/sendmail.ts";
import { offer } from "../lab/smtp.ts";
import {
  type PostfixType,
  type Table,
  eximTable,
  postfixTable,
  sendmailTable,
} from "../lab/table.ts";

/** An MTA with a table of one type; OpenSMTPD has one of each. */
export type Door = PostfixType | "sendmail" | "exim" | "opensmtpd";

/** The doors that can be had on this machine, of those that there are. */
export function doorsHere(): Door[] {
  const postfix = ["hash", "btree", "lmdb", "cdb"] as const;
  return [
    ...(lacks("root", "postfix") === undefined ? postfix : []),
    ...(lacks("root", "namespaces", "sendmail") === undefined ? (["sendmail"] as const) : []),
    ...(lacks("root", "namespaces", "exim") === undefined ? (["exim"] as const) : []),
    ...(lacks("root", "namespaces", "opensmtpd") === undefined ? (["opensmtpd"] as const) : []),
  ];
}

interface Plan {
  /** All of them at once, behind one popgate. */
  readonly doors: readonly Door[];
  /** Live grants. */
  readonly size: number;
  /** Milliseconds. */
  readonly ttl: number;
  readonly seconds: number;
}

/** What came of it at one door. */
export interface Outcome {
  /** The door, and which of its tables if there are several. */
  readonly door: string;
  /** How many versions of the table there were, as far as they were seen. */
  readonly versions: number;
  readonly sessions: number;
  /** Answers that must not be, in words. */
  readonly wrong: readonly string[];
  /** Milliseconds from the connection to the answer to RCPT, at most. */
  readonly longest: number;
}

const inside = "127.0.0.2";
const outside = "127.0.0.3";

/** Runs such sessions for so long. Rejects if a daemon does not start, or popgate complains. */
export async function sessions({ doors, size, ttl, seconds }: Plan): Promise<Outcome[]> {
  const lab = await Lab.open();
  try {
    await lab.folder("maps");
    const popgate = new Popgate(lab);
    const rigs = (await Promise.all(doors.map((door) => rigsAt(lab, door)))).flat();
    const log = lab.path("mail.log");
    const crowd = new Crowd({ log, ttl, size, residents: [inside] });
    await popgate.configure({
      ttl: `${ttl / 1000}s`,
      source: [{ path: log }],
      map: rigs.map(({ table }) => table.map),
      guard: { max_grants: 10 * size },
    });
    await popgate.command("withdraw");
    await Promise.all(rigs.map((rig) => rig.start()));
    const stop = new AbortController();
    const running: Promise<Outcome>[] = [];
    await lab.start(crowd);
    try {
      await lab.start(popgate);
      running.push(...rigs.map((rig) => watched(rig, stop.signal)));
      await Promise.race([pause(seconds * 1000), Promise.all(running)]);
    } finally {
      stop.abort();
      await Promise.allSettled(running);
    }
    const outcomes = await Promise.all(running);
    // Warnings are about the directory that the lab lies in.
    const complaint = popgate.lines.find((line) => line.startsWith("error"));
    if (complaint !== undefined) throw new Error(`popgate told: ${complaint}`);
    return outcomes;
  } finally {
    await lab.close();
  }
}

interface Rig {
  readonly door: string;
  readonly table: Pick<Table, "map" | "live">;
  readonly port: number;
  readonly start: () => Promise<unknown>;
}

async function rigsAt(lab: Lab, door: Door): Promise<Rig[]> {
  return door === "opensmtpd" ? opensmtpdRigs(lab) : [await rigAt(lab, door)];
}

/** One smtpd with a door for each form of its tables: a file that it is told to read again, and a database. */
async function opensmtpdRigs(lab: Lab): Promise<Rig[]> {
  const [file, db] = [lab.path("maps", "smtpd-file"), lab.path("maps", "smtpd-db")];
  const ports = { file: await lab.port(), db: await lab.port() };
  const mta = new Opensmtpd(lab, [
    { port: ports.file, name: "file", table: `file:${file}` },
    { port: ports.db, name: "db", table: `db:${db}.db` },
  ]);
  await mta.prepare();
  const { smtpctl, makemap } = mta.tools;
  const settings = { mta: "opensmtpd" } as const;
  return [
    {
      door: "opensmtpd file",
      table: {
        map: { ...settings, table: `file:${file}`, name: "file", tool: smtpctl },
        live: file,
      },
      port: ports.file,
      start: () => lab.start(mta),
    },
    {
      door: "opensmtpd db",
      table: {
        map: { ...settings, table: `db:${db}`, name: "db", tool: makemap },
        live: `${db}.db`,
      },
      port: ports.db,
      start: () => Promise.resolve(),
    },
  ];
}

async function rigAt(lab: Lab, door: Exclude<Door, "opensmtpd">): Promise<Rig> {
  const port = await lab.port();
  const path = lab.path("maps", door);
  if (door === "sendmail") {
    const mta = new Sendmail(lab, { type: "hash", path });
    mta.port = port;
    return { door, table: sendmailTable(path), port, start: () => lab.start(mta) };
  }
  if (door === "exim") {
    const mta = new Exim(lab, [{ port, list: path }]);
    return { door, table: eximTable(path), port, start: () => lab.start(mta) };
  }
  // One each: an smtpd that ends because its table has changed must not be counted as that of another.
  const restrictions = relayFor(`${door}:${path}`);
  const mta = new Postfix(lab, [{ port, restrictions }], `postfix-${door}`);
  await mta.configure();
  return {
    door,
    table: postfixTable(door, path, mta.config),
    port,
    start: () => lab.start(mta),
  };
}

async function watched({ door, table, port }: Rig, signal: AbortSignal): Promise<Outcome> {
  const sum = { sessions: 0, longest: 0, versions: 0 };
  const wrong: string[] = [];
  const ask = async (client: string, right: readonly number[]): Promise<void> => {
    while (!signal.aborted) {
      const began = performance.now();
      const { code, text } = await offer({ port, client }).catch((error: unknown) => ({
        code: 0,
        text: String(error),
      }));
      sum.sessions++;
      sum.longest = Math.max(sum.longest, performance.now() - began);
      if (!right.includes(code)) {
        wrong.push(`${new Date().toISOString()} ${door} said to ${client}: ${code} ${text}`);
      }
    }
  };
  const count = async (): Promise<void> => {
    let before = "";
    while (!signal.aborted) {
      const { ino, mtimeMs } = statSync(table.live);
      const now = `${ino} ${mtimeMs}`;
      if (now !== before) sum.versions++;
      before = now;
      await pause(10);
    }
  };
  await Promise.all([ask(inside, [250]), ask(outside, [550, 554]), count()]);
  return { door, wrong, ...sum };
}
