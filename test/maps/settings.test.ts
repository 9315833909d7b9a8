/** Which tables are taken, how their indexes are built, and how the others are refused. */
import { describe, expect, test } from "vitest";
import { createMap } from "../../src/maps/index.ts";
import type { MapSettings } from "../../src/maps/map.ts";
import type { Outcome } from "../../src/run.ts";

const refused: [what: string, settings: MapSettings, says: RegExp][] = [
  ["no type", { mta: "postfix", table: "/x/relay" }, /type:path.*hash, btree, lmdb, cdb/],
  ["texthash", { mta: "postfix", table: "texthash:/x/relay" }, /reload.*use one of hash/],
  ["cidr", { mta: "postfix", table: "cidr:/x/relay" }, /reload/],
  ["pcre", { mta: "postfix", table: "pcre:/x/relay" }, /reload/],
  ["proxy", { mta: "postfix", table: "proxy:hash:/x/relay" }, /main\.cf/],
  ["mysql", { mta: "postfix", table: "mysql:/x/relay" }, /does not write it/],
  ["relative", { mta: "postfix", table: "hash:relay" }, /absolute.*\/var\/lib\/popgate/],
  ["empty", { mta: "postfix", table: "" }, /absolute/],
  ["blank", { mta: "postfix", table: "hash:/x/re lay" }, /letters, digits/],
  ["dollar", { mta: "postfix", table: "hash:/x/$relay" }, /letters, digits/],
  ["colon", { mta: "exim", table: "/x/re:lay" }, /letters, digits/],
  ["dots", { mta: "postfix", table: "hash:/x/../relay" }, /must name a file/],
  ["directory", { mta: "exim", table: "/x/relay/" }, /must name a file/],
  ["suffix", { mta: "sendmail", table: "hash:/x/popauth.db" }, /leave out ".db"/],
  ["long", { mta: "exim", table: `/x/${"a".repeat(201)}` }, /longer than 200/],
  ["makemap cdb", { mta: "sendmail", table: "cdb:/x/popauth" }, /use one of hash, btree/],
  ["makemap none", { mta: "sendmail", table: "/x/popauth" }, /type:path.*hash, btree/],
  ["exim lookup", { mta: "exim", table: "net-lsearch:/x/relay" }, /path alone, or net-iplsearch/],
  ["exim tool", { mta: "exim", table: "/x/relay", tool: "/bin/x" }, /tool means nothing to exim/],
  ["exim name", { mta: "exim", table: "/x/relay", name: "relay" }, /name means nothing to exim/],
  ["opensmtpd none", { mta: "opensmtpd", table: "/x/relay" }, /type:path.*db, file/],
  ["opensmtpd hash", { mta: "opensmtpd", table: "hash:/x/relay" }, /one of db, file/],
  ["opensmtpd suffix", { mta: "opensmtpd", table: "db:/x/relay.db" }, /leave out ".db"/],
  ["opensmtpd tool", { mta: "opensmtpd", table: "file:/x/r", tool: "smtpctl" }, /tool = "smtpctl"/],
  ["opensmtpd style", { mta: "opensmtpd", table: "db:/x/r", style: "access" }, /style means/],
  ...["", "-f", "pop ips", "pop>", '"', "1st", "a".repeat(65)].map(
    (name) =>
      [
        `name ${name}`,
        { mta: "opensmtpd", table: "file:/x/r", name },
        /is no table's name: letters/,
      ] as [string, MapSettings, RegExp],
  ),
  ["style", { mta: "postfix", table: "hash:/x/r", style: "access" }, /style means nothing/],
  ["tool", { mta: "postfix", table: "hash:/x/r", tool: "postmap" }, /tool = "postmap"/],
  [
    "a whole /64 of popauth",
    { mta: "sendmail", table: "hash:/x/r", ipv6_prefix: 64 },
    /^map "hash:\/x\/r": guard.ipv6_prefix = 64: .*take style = "access", or ipv6_prefix = 128$/,
  ],
  ["config_dir", { mta: "sendmail", table: "hash:/x/r", config_dir: "/etc" }, /config_dir means/],
];

test.each(refused)("refused: %s", (_, settings, says) => {
  const create = () => createMap(settings);
  expect(create).toThrow(says);
  expect(create).toThrow(`map "${settings.table}": `);
  expect(create).toThrow(expect.objectContaining({ name: "ConfigError", exitCode: 78 }));
});

test("all faults at once", () => {
  const settings: MapSettings = { mta: "postfix", table: "cidr:relay", tool: "x", style: "access" };
  expect(() => createMap(settings)).toThrow(
    expect.objectContaining({ faults: expect.toSatisfy((all: string[]) => all.length === 4) }),
  );
});

describe("index", () => {
  test.each([
    ["hash", ".db"],
    ["btree", ".db"],
    ["lmdb", ".lmdb"],
    ["cdb", ".cdb"],
  ])("postmap %s", (type, suffix) => {
    const map = createMap({
      mta: "postfix",
      table: `${type}:/x/relay`,
      tool: "/opt/postmap",
      config_dir: "/etc/postfix-out",
    });
    expect(map).toMatchObject({ name: `${type}:/x/relay`, source: "/x/relay" });
    expect(map.index?.("/x/.aside")).toMatchObject({
      argv: ["/opt/postmap", "-c", "/etc/postfix-out", `${type}:/x/.aside`],
      stdin: false,
      makes: `/x/.aside${suffix}`,
      live: `/x/relay${suffix}`,
    });
  });

  test("postmap from PATH", () => {
    const map = createMap({ mta: "postfix", table: "hash:/x/relay" });
    expect(map.index?.("/x/.aside").argv).toEqual(["postmap", "hash:/x/.aside"]);
  });

  test("makemap reads no sendmail.cf, and the source on its standard input", () => {
    const map = createMap({ mta: "sendmail", table: "btree:/x/popauth" });
    expect(map.index?.("/x/.aside")).toMatchObject({
      argv: ["makemap", "-C/dev/null", "btree", "/x/.aside"],
      stdin: true,
      makes: "/x/.aside.db",
      live: "/x/popauth.db",
    });
  });

  test("OpenSMTPD's makemap makes a set", () => {
    const map = createMap({ mta: "opensmtpd", table: "db:/x/relay" });
    expect(map).toMatchObject({ name: "db:/x/relay", source: "/x/relay" });
    expect(map.announcement).toBeUndefined();
    expect(map.index?.("/x/.aside")).toMatchObject({
      argv: ["makemap", "-t", "set", "-o", "/x/.aside.db", "/x/.aside"],
      stdin: false,
      makes: "/x/.aside.db",
      live: "/x/relay.db",
    });
  });

  test("a file of OpenSMTPD needs none, but smtpd must be told", () => {
    const map = createMap({ mta: "opensmtpd", table: "file:/x/relay", name: "pop-ips" });
    expect(map.index).toBeUndefined();
    expect(map.announcement?.argv).toEqual(["smtpctl", "update", "table", "pop-ips"]);
  });

  test.each(["/x/relay", "net-iplsearch:/x/relay"])("Exim needs none for %s", (table) => {
    const map = createMap({ mta: "exim", table });
    expect(map.index).toBeUndefined();
    expect(map.source).toBe("/x/relay");
  });
});

describe("advice", () => {
  test("Postfix: after permit_auth_destination, before reject_unauth_destination", () => {
    const { advice } = createMap({ mta: "postfix", table: "lmdb:/x/relay" });
    expect(advice.join("\n")).toMatch(
      /permit_auth_destination,\s+check_client_access lmdb:\/x\/relay, reject_unauth_destination$/,
    );
  });

  test("Sendmail: an optional map and a ruleset with tabs", () => {
    const { advice } = createMap({ mta: "sendmail", table: "hash:/x/popauth" });
    expect(advice).toContain("Kpopauth hash -o -a<MATCH> /x/popauth");
    expect(advice).toContain("Kpopauthagain hash -o -a<MATCH> /x/popauth");
    expect(advice.filter((line) => line.startsWith("R"))).toEqual([
      "R$*\t$: $(popauth $&{client_addr} $)",
      "R$* <MATCH>\t$# OK",
      "R$*\t$: $(popauthagain $&{client_addr} $)",
      "R$* <MATCH>\t$# OK",
      "R$*\t$@ OK",
    ]);
  });

  test("Sendmail: the whole access map", () => {
    const map = createMap({ mta: "sendmail", table: "hash:/x/access", style: "access" });
    expect(map.advice).toEqual(["FEATURE(`access_db', `hash -o -T<TMPF> /x/access')dnl"]);
  });

  test.each([
    ["/x/relay", "/x/relay"],
    ["net-iplsearch:/x/relay", "net-iplsearch;/x/relay"],
  ])("Exim: a host list of its own, %s", (table, item) => {
    const { advice } = createMap({ mta: "exim", table });
    expect(advice[0]).toBe(`hostlist popgate_clients = ${item}`);
  });

  test.each([
    ["db:/x/relay", undefined, "popgate", "db:/x/relay.db"],
    ["file:/x/relay", "relay", "relay", "file:/x/relay"],
  ])("OpenSMTPD: %s, its name in quotes", (table, name, called, named) => {
    const { advice } = createMap({ mta: "opensmtpd", table, name });
    expect(advice[0]).toBe(`table "${called}" ${named}`);
    expect(advice.at(-1)).toContain(`from src <"${called}"> for any`);
  });
});

describe("what OpenSMTPD's tools say", () => {
  const said = (stderr: string, stdout = ""): Outcome => {
    const reason = stderr === "" ? "exit status 1" : `exit status 1: ${stderr}`;
    return { ok: false, missing: false, stdout, stderr, reason };
  };
  const fine = { ok: true, missing: false, stdout: "", stderr: "", reason: "" };

  test.each<[Outcome, { is: string; forGood?: boolean; why?: RegExp }]>([
    [{ ...fine, stdout: "command succeeded" }, { is: "heard" }],
    [said("smtpctl: smtpd doesn't seem to be running"), { is: "nobody" }],
    [said("", "command failed"), { is: "failed", forGood: false, why: /no table "popgate", or/ }],
    [said("smtpctl: need root privileges"), { is: "failed", forGood: true, why: /db:path/ }],
    [said("smtpctl: unknown group opensmtpq"), { is: "failed", forGood: true }],
    [said("smtpctl: pipe closed"), { is: "failed", forGood: false, why: /pipe closed$/ }],
    [
      { ...said(""), reason: "ended by SIGKILL" },
      { is: "failed", forGood: false, why: /SIGKILL/ },
    ],
  ])("smtpctl: %j", (outcome, { why = /./, ...heard }) => {
    const { announcement } = createMap({ mta: "opensmtpd", table: "file:/x/relay" });
    const judged = announcement?.judge(outcome);
    expect(judged).toMatchObject(heard);
    if (judged?.is === "failed") expect(judged.why).toMatch(why);
  });

  test.each([
    [fine, { is: "made", remarks: [] }],
    [{ ...fine, stderr: "makemap: warning: empty map created: /x/a.db" }, { is: "made" }],
    [{ ...fine, stderr: "makemap: something new" }, { is: "doubtful" }],
    [
      said(
        "BDB0137 write: 0x5, 4096: No space left on device\nmakemap: dbput: Cannot allocate memory",
      ),
      { is: "failed", forGood: false, why: "makemap: dbput: Cannot allocate memory" },
    ],
    [said("makemap: this program must be setgid opensmtpq"), { is: "failed", forGood: true }],
    [said("makemap: unsupported type 'set'"), { is: "failed", forGood: true }],
  ])("makemap: %j", (outcome, verdict) => {
    const map = createMap({ mta: "opensmtpd", table: "db:/x/relay" });
    expect(map.index?.("/x/a").judge(outcome)).toMatchObject(verdict);
  });
});

test.each([
  ['record is in "key: value" format; is this an alias file?', { is: "made", remarks: [] }],
  ['duplicate entry: "192.0.2.7"', { is: "doubtful" }],
])("postmap: %s", (says, verdict) => {
  const stderr = `postmap: warning: /x/a, line 2: ${says}`;
  const map = createMap({ mta: "postfix", table: "cdb:/x/relay" });
  const outcome: Outcome = { ok: true, missing: false, stdout: "", stderr, reason: "" };
  expect(map.index?.("/x/a").judge(outcome)).toMatchObject(verdict);
});
