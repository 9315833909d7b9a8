/** Where the playground plays: a real Dovecot and Postfix, or a log and a host list that it writes and reads itself. */

import { appendFileSync, readFileSync } from "node:fs";
import { ran } from "./child.ts";
import { Dovecot, password } from "./dovecot.ts";
import type { Lab } from "./lab.ts";
import { Popgate, type Settings } from "./popgate.ts";
import { Postfix, relayFor } from "./postfix.ts";
import { offer } from "./smtp.ts";

export interface Stage {
  /** What is there, one line each. */
  readonly scene: readonly string[];
  readonly popgate: Popgate;
  readonly settings: Settings;
  /** Tries to relay; what the MTA says. */
  readonly relay: (client: string) => Promise<{ accepted: boolean; text: string }>;
  /** A login; what the POP server says. */
  readonly login: (client: string) => Promise<string>;
  /** The clients of the story and of the guest. */
  readonly clients: readonly [story: string, guest: string];
  /** What to type in another terminal: an explanation and a command each. */
  readonly commands: readonly (readonly [what: string, command: string])[];
}

/** Real daemons on high loopback ports. */
export async function mailStage(lab: Lab, ttl: string): Promise<Stage> {
  const popgate = new Popgate(lab);
  await lab.folder("maps");
  const smtp = await lab.port();
  const table = `hash:${lab.path("maps", "relay")}`;
  const postfix = new Postfix(lab, [{ port: smtp, restrictions: relayFor(table) }]);
  await postfix.configure();
  const dovecot = await lab.start(new Dovecot(lab));
  const settings = {
    ttl,
    source: [{ path: dovecot.log }],
    map: [{ mta: "postfix", table, config_dir: postfix.config }],
  };
  await popgate.configure(settings);
  await popgate.command("withdraw");
  await lab.start(postfix);
  await lab.start(popgate);

  const { pop3, imap } = dovecot.ports;
  const mta = await ran(["postconf", "-h", "mail_version"]);
  const pop = await ran(["dovecot", "--version"]);
  const guest = "127.0.0.5";
  const mail = "--mail-from you@lab.test --mail-rcpt someone@foreign.example -T /etc/hostname";
  const send = `curl -sS --interface ${guest} smtp://127.0.0.1:${smtp} ${mail}`;
  return {
    popgate,
    settings,
    scene: [
      `Postfix ${mta.trim()}`.padEnd(20) +
        `smtp://127.0.0.1:${smtp}  mail for other domains only from popgate's clients`,
      `Dovecot ${pop.split(" ")[0] ?? ""}`.padEnd(20) +
        `pop3://127.0.0.1:${pop3}  imap://127.0.0.1:${imap}  user alice, password ${password}`,
    ],
    clients: ["127.0.0.2", guest],
    relay: async (client) => {
      const { code, text } = await offer({ port: smtp, client });
      return { accepted: code === 250, text: `${code} ${text}` };
    },
    login: async (client) => (await dovecot.visit("pop3", client)).text,
    commands: [
      ["send mail to another domain: refused", send],
      [
        "fetch mail; popgate sees the login",
        `curl --interface ${guest} -u alice:${password} pop3://127.0.0.1:${pop3}`,
      ],
      ["send it again: accepted, curl has nothing to say", send],
    ],
  };
}

/** No daemons: Dovecot's lines written by the playground, Exim's host list read by it. */
export async function paperStage(lab: Lab, ttl: string): Promise<Stage> {
  const popgate = new Popgate(lab);
  const list = lab.path("maps", "relay");
  await lab.folder("maps");
  const log = await lab.file("mail.log", "");
  const settings = {
    ttl,
    source: [{ path: log, adapters: ["dovecot"] }],
    map: [{ mta: "exim", table: list }],
  };
  await popgate.configure(settings);
  await lab.start(popgate);
  const rest = (user: string, client: string): string =>
    `pop3-login: Info: Login: user=<${user}>, method=PLAIN, rip=${client}, lip=192.0.2.1, mpid=1, session=<play>`;
  const guest = "192.0.2.9";
  return {
    popgate,
    settings,
    scene: [
      `a log               ${log}, with the lines that a Dovecot would write`,
      `a host list         ${list}, as an Exim would read it`,
    ],
    clients: ["192.0.2.7", guest],
    relay: (client) => {
      const accepted = readFileSync(list, "utf8").split("\n").includes(client);
      return Promise.resolve({
        accepted,
        text: `the list ${accepted ? "has" : "does not have"} it`,
      });
    },
    login: (client) => {
      const line = `${stamp(new Date())} ${rest("alice", client)}`;
      appendFileSync(log, `${line}\n`);
      return Promise.resolve(line);
    },
    commands: [
      ["who may relay: nobody", `cat ${list}`],
      ["a login", `echo "$(LC_ALL=C date '+%b %d %T') ${rest("bob", guest)}" >> ${log}`],
      ["now the client may", `cat ${list}`],
    ],
  };
}

/** `Nov 23 06:17:30`, as Dovecot stamps its own log. */
function stamp(now: Date): string {
  const month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[now.getMonth()];
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${month} ${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}
