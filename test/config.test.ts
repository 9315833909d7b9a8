import { describe, expect, test } from "vitest";
import { configOfFlags, configText, parseAdapters, parseConfig, placesIn } from "../src/config.ts";
import { ConfigError } from "../src/errors.ts";

const adapters = ["dovecot", "courier"];
const least = '[[source]]\npath = "/var/log/mail.log"\n[[map]]\ntable = "/var/lib/popgate/relay"\n';

function faultsOf(text: string): readonly string[] {
  try {
    parseConfig(text, "popgate.toml", adapters);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test("the least config has every default", () => {
  expect(parseConfig(least, "popgate.toml", adapters)).toEqual({
    ttl: 1_800_000,
    fail_open_limit: 60_000,
    state_dir: "/var/lib/popgate",
    source: [{ type: "file", path: "/var/log/mail.log" }],
    map: [{ table: "/var/lib/popgate/relay" }],
    guard: {
      never: [],
      allow: [],
      ipv6_prefix: 128,
      services: ["imap", "pop3"],
      allow_users: ["*"],
      deny_users: [],
      adapter_ttl: {},
      max_grants: 100_000,
      max_clients_per_user: 32,
      too_many_clients: "refuse",
      hold: 86_400_000,
      max_users_per_client: 32,
      too_many_users: "warn",
      short_ttl: 300_000,
    },
    control: { socket: "/var/lib/popgate/control" },
    metrics: { remote: false },
  });
});

test.each([
  ['state_dir = "/srv/p"', "/srv/p/control"],
  ['[control]\nsocket = "/run/popgate/control"', "/run/popgate/control"],
  ['ttl = 7\nstate_dir = "/srv/p"\n[control]\nsocket = "/run/p"', "/run/p"],
  ['state_dir = "/srv/p"\nthis is not TOML', "/srv/p/control"],
  ['[control]\nsocket = "/run/p"\nthis is not TOML', "/run/p"],
])("the control socket of %j, be the rest right or wrong", (text, socket) => {
  expect(placesIn(text).controlSocket).toBe(socket);
});

test.each([
  ["127.0.0.1:9712", []],
  ["127.1.2.3:1", []],
  ["[::1]:65535", []],
  [
    "192.0.2.1:9712",
    [expect.stringMatching(/^popgate.toml: metrics.listen: others could reach it/)],
  ],
  ["0.0.0.0:9712", [expect.stringMatching(/others could reach it/)]],
  ["[::]:9712", [expect.stringMatching(/others could reach it/)]],
  ["localhost:9712", [expect.stringMatching(/is no address to listen on/)]],
  ["127.0.0.1", [expect.stringMatching(/is no address to listen on/)]],
  ["127.0.0.1:65536", [expect.stringMatching(/is no address to listen on/)]],
  [":9712", [expect.stringMatching(/is no address to listen on/)]],
])("metrics on %s", (listen, faults) => {
  const text = (more: string) => `${least}[metrics]\nlisten = "${listen}"\n${more}`;
  expect(faultsOf(text(""))).toEqual(faults);
  const isAddress = /^(?:[\d.]+|\[.*\]):\d{1,5}$/.test(listen) && !listen.endsWith("65536");
  expect(faultsOf(text("remote = true"))).toHaveLength(isAddress ? 0 : 1);
});

test("a control socket lies beside the state unless the config says otherwise", () => {
  const socketIn = (more: string) =>
    parseConfig(`${more}\n${least}`, "popgate.toml", adapters).control;
  expect(socketIn('state_dir = "/srv/p"').socket).toBe("/srv/p/control");
  expect(socketIn('control = { socket = "/run/p", group = "mail" }')).toEqual({
    socket: "/run/p",
    group: "mail",
  });
});

test("a config is frozen through and through, and its text means the same again", () => {
  const text = `ttl = "90s"\nfail_open_limit = "2m"\n${least}[[source]]\ntype = "stdin"\nttl = "5m"\n[guard]
never = ["198.51.100.0/24"]\nadapter_ttl = { courier = "10m" }\ntoo_many_users = "shorten"\n`;
  const config = parseConfig(text, "popgate.toml", adapters);
  expect(Object.isFrozen(config.guard.never) && Object.isFrozen(config.source[0])).toBe(true);
  expect(parseConfig(configText(config), "again", adapters)).toEqual(config);
});

test("flags are a config too", () => {
  const config = configOfFlags(
    { source: ["/a.log"], map: ["lmdb:/m"], ttl: "2h", stateDir: "/s" },
    adapters,
  );
  expect(config).toMatchObject({
    ttl: 7_200_000,
    state_dir: "/s",
    source: [{ type: "file", path: "/a.log" }],
    map: [{ table: "lmdb:/m" }],
  });
  expect(() => configOfFlags({ source: ["a.log"], ttl: "2" }, adapters)).toThrow(
    /^--ttl: "2" is not a duration.*\n--source: "a.log" is not an absolute path.*\n--map: needs at least one entry/,
  );
});

describe("each fault is told with its key and what would be right", () => {
  test.each([
    ["ttl = 30", "ttl: must be a text in quotes"],
    ['ttl = "30"', 'ttl: "30" is not a duration; write it as 90s, 30m, 2h or 1d'],
    ['ttl = "0s"', 'ttl: "0s" is not a duration; write it as 90s, 30m, 2h or 1d'],
    ['ttl = "-5m"', 'ttl: "-5m" is not a duration; write it as 90s, 30m, 2h or 1d'],
    ['ttl = "31d"', 'ttl: "31d" is longer than 30d; write it as 90s, 30m, 2h or 1d'],
    [
      'ttl = "999999999999m"',
      'ttl: "999999999999m" is not a duration; write it as 90s, 30m, 2h or 1d',
    ],
    ['audit = "audit.log"', 'audit: "audit.log" is not an absolute path; start it with a slash'],
    [
      'audit = "/var/log/mail.log"',
      'audit: "/var/log/mail.log" is a log that is followed; choose another path',
    ],
    [
      'audit = "/var/lib/popgate/relay.db"',
      'audit: "/var/lib/popgate/relay.db" may be a file of popgate\'s already; call it audit.log',
    ],
    [
      'audit = "/var/lib/popgate/state.jsonl"',
      'audit: "/var/lib/popgate/state.jsonl" may be a file of popgate\'s already; call it audit.log',
    ],
    ['state_dir = "var"', 'state_dir: "var" is not an absolute path; start it with a slash'],
    ["tll = 3", "tll: there is no such key"],
    ['source = "x"', "source: must be a list in brackets"],
  ])("%s", (line, fault) => {
    expect(
      faultsOf(`${line}\n${line.startsWith("source") ? '[[map]]\ntable="/m"' : least}`),
    ).toEqual([`popgate.toml: ${fault}`]);
  });

  test.each([
    ["[[source]]\npath = 5", "source[1].path: must be a text in quotes"],
    [
      '[[source]]\npath = "/var/log/../log/mail.log"',
      'source[1]: "/var/log/mail.log" is read by "/var/log/mail.log" already',
    ],
    [
      '[[source]]\npath = "/b"\nzone = "Mars"',
      'source[1].zone: "Mars" is not a time zone; write it as Europe/Rome, America/New_York or UTC',
    ],
    [
      '[[source]]\npath = "/b"\nformat = "rfc3164"',
      'source[1].format: must be one of "syslog", "rfc5424", "dovecot", "qpopper", "zimbra", "stalwart"',
    ],
    [
      '[[source]]\npath = "/b"\nadapters = ["dovcot"]',
      'source[1].adapters: there is no adapter "dovcot" (dovecot, courier)',
    ],
    ['[[source]]\npath = "/b"\nadapters = []', "source[1].adapters: needs at least one entry"],
    [
      '[[source]]\ntype = "pipe"\npath = "/b"',
      'source[1].type: must be one of "file", "journal", "stdin"',
    ],
    [
      '[[source]]\npath = "/var/log/mail*"',
      'source[1]: "/var/log/mail*" is read by "/var/log/mail.log" already',
    ],
    [
      '[[source]]\npath = "/var/*/mail"',
      'source[1].path: "/var/*/mail" has a * before its last part',
    ],
    ['[[source]]\ntype = "stdin"\npath = "/b"', "source[1].path: there is no such key"],
    [
      '[[source]]\ntype = "stdin"\n[[source]]\ntype = "stdin"',
      'source[2]: "stdin" is read by "stdin" already',
    ],
    [
      '[[source]]\ntype = "journal"\ntrust = { _PID = "1" }',
      "source[1].trust._PID: there is no such key",
    ],
    [
      '[[source]]\ntype = "journal"\nunits = ["a b"]',
      'source[1].units[0]: "a b" cannot stand in a journal; no blanks, no = and no +',
    ],
    ["[[source]]", "source[1].path: is missing"],
    [
      '[[map]]\ntable = "relay"',
      'map[1].table: "relay" is not a table; write it as type:path or path, the path absolute and without blanks',
    ],
    [
      '[[map]]\ntable = "hash:/var/lib/popgate/relay"',
      'map[1].table: "/var/lib/popgate/relay" is written by two maps',
    ],
    [
      '[[map]]\ntable = "/m"\nmta = "qmail"',
      'map[1].mta: must be one of "postfix", "sendmail", "exim", "opensmtpd"',
    ],
    [
      '[[map]]\ntable = "/m"\nmta = "exim"\nstyle = "access"',
      'map[1].style: belongs to mta = "sendmail"',
    ],
    ['[[map]]\ntable = "/m"\nname = "relay"', 'map[1].name: belongs to mta = "opensmtpd"'],
    [
      '[[map]]\ntable = "file:/m"\nmta = "opensmtpd"\n[[map]]\ntable = "db:/n"\nmta = "opensmtpd"\nname = "popgate"',
      'map[2].name: "popgate" is the name of another one; give this one its own',
    ],
    [
      '[guard]\nnever = ["192.0.2.1/24"]',
      'guard.never[0]: "192.0.2.1/24" has bits set behind its prefix; the network is 192.0.2.0/24',
    ],
    ["[guard]\nallow = [7]", "guard.allow[0]: must be a text in quotes"],
    [
      "[guard]\nipv6_prefix = 56",
      "guard.ipv6_prefix: 56 is neither 128, the client alone, nor 64, the network that it takes its addresses from; most MTAs can look up no other",
    ],
    [
      '[guard]\nipv6_prefix = "64"',
      'guard.ipv6_prefix: "64" is neither 128, the client alone, nor 64, the network that it takes its addresses from; most MTAs can look up no other',
    ],
    ["[guard]\nmax_grants = 0", "guard.max_grants: must be at least 1"],
    ["[guard]\nmax_grants = 9000000", "guard.max_grants: must be at most 1000000"],
    ["[guard]\nmax_grants = 1.5", "guard.max_grants: must be a whole number"],
    ["[guard]\ndeny = []", "guard.deny: there is no such key"],
    ['[guard]\nservices = ["smtp"]', 'guard.services[0]: must be one of "imap", "pop3"'],
    ["[guard]\nservices = []", "guard.services: needs at least one entry"],
    ["[guard]\nallow_users = []", "guard.allow_users: needs at least one entry"],
    ['[guard]\ndeny_users = "ann"', "guard.deny_users: must be a list in brackets"],
    [
      '[guard]\ndeny_users = ["ann", "*@*"]',
      'guard.deny_users[1]: "*@*" is not a user\'s name; write it as ann, ann@example.com, or with one * as *@example.com',
    ],
    [
      '[guard]\nadapter_ttl = { courier = "1h", dovcot = "1h" }',
      'guard.adapter_ttl: there is no adapter "dovcot" (dovecot, courier)',
    ],
    [
      '[guard]\nadapter_ttl = { courier = "1w" }',
      'guard.adapter_ttl.courier: "1w" is not a duration; write it as 90s, 30m, 2h or 1d',
    ],
    [
      '[guard]\ntoo_many_clients = "warn"',
      'guard.too_many_clients: must be one of "refuse", "hold"',
    ],
    [
      '[guard]\ntoo_many_users = "hold"',
      'guard.too_many_users: must be one of "warn", "refuse", "shorten"',
    ],
    ["[guard]\nmax_users_per_client = 1001", "guard.max_users_per_client: must be at most 1000"],
    [
      '[[source]]\npath = "/b"\nttl = "0s"',
      'source[1].ttl: "0s" is not a duration; write it as 90s, 30m, 2h or 1d',
    ],
  ])("%s", (lines, fault) => {
    expect(faultsOf(`${least}${lines}\n`)).toEqual([`popgate.toml: ${fault}`]);
  });

  const acme = [
    '[[adapter]]\nname = "acme"\nprograms = ["acme-popd"]\nservice = "pop3"\npattern = "^(?<user>a) (?<client>b)$"',
    'must_match = ["a b"]\nmust_not_match = ["a c"]\n',
  ].join("\n");
  test.each([
    ["[[adapter]]", /^adapter\[0\]\.name: is missing(?:\n.*){4}$/],
    [
      acme.replace("acme", "Acme"),
      /^adapter\[0\]\.name: "Acme" is not made of a-z, 0-9 and -, a letter first$/,
    ],
    [
      acme.replace('"acme"', '"dovecot"'),
      /^adapter\[0\]\.name: "dovecot" is built in; take another name$/,
    ],
    [acme + acme, /^adapter\[1\]\.name: "acme" is the name of another one$/],
    [
      acme.replace("acme-popd", "acme popd"),
      /^adapter\[0\]\.programs\[0\]: "acme popd" cannot be a syslog tag; no blanks, colons and brackets$/,
    ],
    [acme.replace("pop3", "smtp"), /^adapter\[0\]\.service: must be one of "imap", "pop3"$/],
    [
      acme.replace(/pattern = .*/, "pattern = 7"),
      /^adapter\[0\]\.pattern: must be a text in quotes, or a list of them$/,
    ],
    [
      acme.replace(/pattern = .*/, "pattern = []"),
      /^adapter\[0\]\.pattern: needs at least one entry$/,
    ],
    [acme.replace('["a b"]', "[]"), /^adapter\[0\]\.must_match: needs at least one entry$/],
    [acme.replace('["a c"]', "[]"), /^adapter\[0\]\.must_not_match: needs at least one entry$/],
    [`${acme}flags = "i"`, /^adapter\[0\]\.flags: there is no such key$/],
  ])("%s", (lines, told) => {
    const faults = faultsOf(least + lines).map((one) => one.replace("popgate.toml: ", ""));
    expect(faults.join("\n")).toMatch(told);
  });

  test("an adapter of the config may be named in a source, and one pattern is a list of one", () => {
    const source = '[[source]]\npath = "/b"\nadapters = ["acme", "dovecot"]\n';
    const config = parseConfig(least + source + acme, "popgate.toml", adapters);
    expect(config.adapter?.[0]?.pattern).toEqual(["^(?<user>a) (?<client>b)$"]);
    expect(parseConfig(configText(config), "again", adapters)).toEqual(config);
    expect(parseAdapters(least + acme, "acme.toml", adapters)).toEqual(config.adapter);
  });

  test("all at once", () => {
    expect(faultsOf('ttl = 1\nx = 2\n[guard]\nnever = ["a", "b"]\n')).toHaveLength(6);
  });

  test("syntax, with line and column", () => {
    expect(faultsOf('ttl = "30m"\nstate_dir = \n')).toEqual([
      expect.stringMatching(/^popgate\.toml:2:1[23]: not TOML: /),
    ]);
  });
});

test.each([
  ['state_dir = "/srv/p"', "/srv/p"],
  ["  state_dir   =   '/srv/p'  # here\nttl = ", "/srv/p"],
  ['ttl = "30m"', "/var/lib/popgate"],
  ['# state_dir = "/srv/p"', "/var/lib/popgate"],
  ['state_dir = "srv"', "/var/lib/popgate"],
])("the state directory of %j, be the rest right or wrong", (text, directory) => {
  expect(placesIn(text).stateDir).toBe(directory);
});
