/** A real Dovecot and a stranger without a password, whose names are whole lines of a login: only who logs in is granted. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Dialogue } from "../lab/dialogue.ts";
import { Dovecot } from "../lab/dovecot.ts";
import { Journald } from "../lab/journald.ts";
import { Lab, type Syslog } from "../lab/lab.ts";
import { login } from "../lab/mailbox.ts";
import { lacks } from "../lab/needs.ts";
import { Popgate, type Settings } from "../lab/popgate.ts";
import { Rsyslog } from "../lab/rsyslog.ts";
import { until } from "../lab/wait.ts";

const stranger = "127.0.0.9";
/** Whom the stranger would like to let in. The guard of the lab's popgate has nothing against it. */
const forged = "127.0.0.66";

const elements = `method=PLAIN, rip=${forged}, lip=127.0.0.1, mpid=1, session=<x>`;

/** What a stranger may call himself; the stamps are of now, as old ones would grant nothing anyway. */
function names(now: Date): readonly string[] {
  const bsd = `${now.toString().slice(4, 10).replace(" 0", "  ")} ${now.toTimeString().slice(0, 8)}`;
  const message = `pop3-login: Login: user=<bob>, ${elements}`;
  const own = `${bsd} pop3-login: Info: Login: user=<bob>, ${elements}`;
  const lines = [
    own,
    `${bsd} mx dovecot: ${message}`,
    `${now.toISOString()} mx dovecot: ${message}`,
    // Dovecot's login processes cut a name at 80 bytes: these are whole.
    `${bsd} pop3-login: Info: Login: user=<b>, rip=${forged}, x`,
    `${bsd} mx dovecot: imap-login: Login: user=<b>, rip=${forged}, x`,
  ];
  return [
    message,
    `imap-login: Login: user=<b>, rip=${forged}, lip=1.1.1.1, x`,
    `Login: user=<bob>, ${elements}`,
    `user=<bob>, rip=${forged}, Login:`,
    `bob>, ${elements}`,
    `bob>, rip=${forged}, session=<`,
    `bob, rip=${forged}, x=<y>`,
    `[${forged}]`,
    `<[${forged}]>`,
    `bob\trip=${forged}\tuser=bob`,
    ...lines,
    ...lines.map((line) => `#012${line}#012`),
    ...lines.map((line) => `x\n${line}\n`),
    ...lines.map((line) => `\r\n${line}\r\n`),
    `x\n${message}\n`,
  ];
}

const controls = /[\t\r\n]/g;

function hasControls(text: string): boolean {
  return text.replaceAll(controls, "") !== text;
}

// One login process for all: a new one for each would take most of the time.
const quick = ["pop3", "imap"].map((name) => `service ${name}-login {\n  service_count = 0\n}\n`);

/** By default, and with everything on that lets more of what a stranger says into the log, as he said it. */
const settings = {
  "by default": quick.join(""),
  "with every name allowed": `${quick.join("")}
auth_username_chars =
auth_username_format = %u
auth_verbose = yes
auth_verbose_passwords = plain
imap_id_log = *
`,
} as const;

type Setting = keyof typeof settings;

/** Where the Dovecots of a lab log to. */
interface Place {
  readonly dovecots: Readonly<Record<Setting, Dovecot>>;
  readonly source: Settings["source"];
  /** All that they have logged. */
  read(): Promise<string> | string;
}

async function both(lab: Lab, syslog?: Syslog): Promise<Place["dovecots"]> {
  const start = (name: string, setting: Setting): Promise<Dovecot> => {
    const options = { name, settings: settings[setting], ...(syslog && { syslog }) };
    return lab.start(new Dovecot(lab, options));
  };
  return {
    "by default": await start("strict", "by default"),
    "with every name allowed": await start("lax", "with every name allowed"),
  };
}

const places = {
  "its own file": {
    needs: ["root", "dovecot"],
    open: async (lab: Lab): Promise<Place> => {
      const dovecots = await both(lab);
      const paths = Object.values(dovecots).map(({ log }) => log);
      const read = (): string => paths.map((path) => readFileSync(path, "latin1")).join("");
      return { dovecots, source: paths.map((path) => ({ path })), read };
    },
  },
  rsyslog: {
    needs: ["root", "dovecot", "rsyslog", "namespaces"],
    open: async (lab: Lab): Promise<Place> => {
      const syslog = await lab.start(new Rsyslog(lab));
      const source = [{ path: syslog.rfc3164 }, { path: syslog.rfc3339 }];
      return { dovecots: await both(lab, syslog), source, read: () => syslog.read("rfc3164") };
    },
  },
  journald: {
    needs: ["root", "dovecot", "journald", "namespaces"],
    open: async (lab: Lab): Promise<Place> => {
      const syslog = await lab.start(new Journald(lab));
      const source = [{ type: "journal", namespace: syslog.namespace, trust: { _UID: "0" } }];
      const read = () => syslog.journalctl("--output=cat", "--all");
      return { dovecots: await both(lab, syslog), source, read };
    },
  },
} as const;

const visitors = [
  ["by default", "127.0.0.2", "127.0.0.3"],
  ["with every name allowed", "127.0.0.4", "127.0.0.5"],
] as const;

for (const [place, { needs, open }] of Object.entries(places)) {
  describe.skipIf(lacks(...needs))(`Dovecot -> ${place} -> popgate`, () => {
    let lab: Lab;
    let popgate: Popgate;
    let table: string;
    let log: Place;

    const granted = (): readonly string[] =>
      existsSync(table) ? (readFileSync(table, "utf8").match(/^[\d.:]+$/gm) ?? []) : [];
    const enter = async (dovecot: Dovecot, client: string): Promise<void> => {
      expect(await dovecot.visit("imap", client)).toMatchObject({ ok: true });
      await until(`${client} to be granted`, () => granted().includes(client));
    };
    /** How often the stranger has failed so far, as the log has it. */
    const failures = async (): Promise<number> =>
      (await log.read()).split(/\(auth failed, .*rip=127\.0\.0\.9, /).length - 1;

    beforeAll(async () => {
      lab = await Lab.open();
      await lab.folder("maps");
      table = lab.path("maps", "relay");
      log = await open(lab);
      popgate = new Popgate(lab);
      await popgate.configure({ ttl: "10m", source: log.source, map: [{ mta: "exim", table }] });
      await lab.start(popgate);
    });
    afterEach(({ task }) => {
      if (task.result?.state === "fail") console.error(popgate.said());
    });
    afterAll(() => lab?.close());

    it.each(visitors)("%s, it grants who logs in, and nobody else", async (setting, ...clients) => {
      const dovecot = log.dovecots[setting];
      const [earlier, failed] = [granted(), await failures()];
      await enter(dovecot, clients[0]);

      const tried = names(new Date());
      await introduce(dovecot, tried);
      const attempts = await attack(dovecot, tried);
      await until("the log to have it all", async () => (await failures()) === failed + attempts);
      expect((await log.read()).split(`rip=${forged}`).length).toBeGreaterThan(tried.length);

      // The log is read in its order: once this one is granted, all before it are judged.
      await enter(dovecot, clients[1]);
      expect(granted()).toEqual([...earlier, ...clients]);
      const told = popgate.lines.flatMap((line) => /^granted client=(\S+)/.exec(line)?.[1] ?? []);
      expect(told).toEqual([...earlier, ...clients]);
    });
  });
}

/** Tries to log in with each name, as the password too, in every way that can carry it; gives how often. */
async function attack(dovecot: Dovecot, tried: readonly string[]): Promise<number> {
  const visits = tried.flatMap((user) => {
    const password = user.replaceAll(controls, ""); // one that holds any is refused before all else
    return (["pop3", "imap"] as const).flatMap((protocol) => {
      const port = dovecot.ports[protocol];
      const ways = protocol === "pop3" && hasControls(user) ? [true] : [false, true];
      return ways.map((sasl) => ({ protocol, port, client: stranger, user, password, sasl }));
    });
  });
  // All at once: Dovecot takes half a second to refuse one.
  for (const verdict of await Promise.all(visits.map(login)))
    expect(verdict).toMatchObject({ ok: false });
  return visits.length;
}

/** Gives each name as that of the mail program, which is logged before any login (RFC 2971). */
async function introduce(dovecot: Dovecot, tried: readonly string[]): Promise<void> {
  for (const name of tried.filter((text) => !hasControls(text))) {
    const dialogue = await Dialogue.open({ port: dovecot.ports.imap, client: stranger });
    await dialogue.line();
    dialogue.send(`a ID ("name" "${name}")`);
    expect([await dialogue.line(), await dialogue.line()]).toContain("a OK ID completed.");
    await dialogue.close();
  }
}
