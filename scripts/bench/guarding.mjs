/** What the guard costs a login in ns, and a live grant in bytes, measured in a process of its own: `node --expose-gc guarding.mjs`. */

import { join } from "node:path";
import { project } from "../ground.mjs";

const load = (file) => import(join(project, "dist", file));
const { canonicalClient } = await load("client.js");
const { parseConfig } = await load("config.js");
const { Gate } = await load("grants/gate.js");
const { Grants } = await load("grants/grants.js");
const { rulesOf } = await load("rules.js");

const many = 100_000;
const rounds = 15;
const least = '[[source]]\npath = "/var/log/mail.log"\n[[map]]\ntable = "/relay"\n[guard]\n';
const lists = [
  `never = [${texts(1000, (n) => `198.18.${n >> 8}.${n & 255}`)}]`,
  `deny_users = [${texts(100, (n) => `shared${n}*`)}]`,
  'adapter_ttl = { dovecot = "20m" }',
  "max_users_per_client = 5",
].join("\n");
const place = { source: "/var/log/mail.log", offset: 1_000_000_000 };

let wall = Date.parse("2026-11-23T06:00:00Z");
let monotonic = 1000.123;
const clock = { now: () => wall, monotonic: () => monotonic, after: () => () => {} };
const log = { info: () => {}, warning: () => {}, error: () => {} };

function texts(count, text) {
  return Array.from({ length: count }, (_, n) => JSON.stringify(text(n))).join();
}

function rules(guard) {
  return rulesOf(parseConfig(least + guard, "popgate.toml", ["dovecot"]));
}

function gate(guard) {
  const ownAddresses = () => new Set(["203.0.113.25", "127.0.0.1", "::1"]);
  return new Gate({ clock, log, ownAddresses }, rules(guard));
}

/** As a line makes it: every text is one of its own. */
function login(n, user = n, first = 100) {
  const address = `${first}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return {
    at: wall,
    adapter: "dovecot",
    service: "imap",
    user: Buffer.from(`user${user}@example.com`).toString(),
    client: canonicalClient(address),
  };
}

function pass(ms) {
  wall += ms;
  monotonic += ms;
}

/** The median of some rounds over all these logins, in CPU ns each; `take` gets a login that is stamped now. */
function cost(logins, take) {
  const figures = [];
  for (let round = 0; round < rounds; round++) {
    pass(1000);
    for (const one of logins) one.at = wall;
    const began = process.cpuUsage();
    for (const one of logins) take(one);
    figures.push((process.cpuUsage(began).user * 1000) / logins.length);
  }
  return figures.sort((a, b) => a - b)[rounds >> 1];
}

function bytes() {
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const filled = gate("");
  for (let n = 0; n < many; n++) filled.take(login(n), place);
  globalThis.gc();
  const after = process.memoryUsage().heapUsed;
  if (filled.size !== many) throw new Error("not all were granted");
  return (after - before) / many;
}

const memory = bytes();
const known = Array.from({ length: 10_000 }, (_, n) => login(n));
const shared = Array.from({ length: 10_000 }, (_, n) => login(n >> 2, n));
const strangers = Array.from({ length: 10_000 }, (_, n) => login(n, n, 10));

function taking(guard, logins) {
  const one = gate(guard);
  for (const each of logins) one.take(each, place);
  return cost(logins, (each) => one.take(each, place));
}

function granting(logins) {
  const grants = new Grants(clock, many);
  for (const each of logins) grants.grant(each, 1_800_000, place);
  return cost(logins, (each) => grants.grant(each, 1_800_000, place));
}

const figures = { known, shared, strangers };
for (const [name, logins] of Object.entries(figures)) {
  const alone = name === "strangers" ? 0 : granting(logins);
  figures[name] = { alone, least: taking("", logins), lists: taking(lists, logins) };
}
process.stdout.write(`${JSON.stringify({ memory, ...figures })}\n`);
