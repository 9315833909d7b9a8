/** A private Dovecot 2.3: POP3 and IMAP with and without TLS, logging to its own file or to a syslog. */

import { existsSync, readFileSync } from "node:fs";
import { userId } from "./account.ts";
import { type Argv, Child, ran } from "./child.ts";
import { Dialogue, connects } from "./dialogue.ts";
import { type Daemon, type Lab, type Syslog, loopback, tail } from "./lab.ts";
import { type Protocol, type Verdict, login } from "./mailbox.ts";
import { until } from "./wait.ts";

/** The password of every user of the lab. */
export const password = "secret";

const users = ["alice", "bob"] as const;

export interface DovecotOptions {
  /** Two of them in one lab need two names. */
  readonly name?: string;
  /** Where it logs; its own file if absent. */
  readonly syslog?: Syslog;
  /** Lines of its config that stand behind all others. */
  readonly settings?: string;
}

/** Dovecot. `visit` is a login of one of its users, alice or bob. */
export class Dovecot implements Daemon {
  readonly name: string;
  /** Its own log file; empty when it logs to a syslog. */
  readonly log: string;
  readonly ports: Record<Protocol, number> = { pop3: 0, pop3s: 0, imap: 0, imaps: 0 };
  readonly #lab: Lab;
  readonly #syslog: Syslog | undefined;
  readonly #settings: string;
  #child: Child | undefined;

  constructor(lab: Lab, { name = "dovecot", syslog, settings = "" }: DovecotOptions = {}) {
    this.name = name;
    this.#lab = lab;
    this.#syslog = syslog;
    this.#settings = settings;
    this.log = lab.path(name, "dovecot.log");
  }

  async start(): Promise<void> {
    const lab = this.#lab;
    const config = await lab.folder(this.name);
    for (const protocol of Object.keys(this.ports) as Protocol[]) {
      this.ports[protocol] ||= await lab.port();
    }
    await lab.folder(`${this.name}/mail`, userId("dovecot"));
    await lab.file(
      `${this.name}/passwd`,
      users.map((user) => `${user}:{PLAIN}${password}\n`).join(""),
    );
    if (!existsSync(`${config}/cert.pem`)) await ran(certificate(config));
    const file = await lab.file(`${this.name}/dovecot.conf`, this.#config(config));
    const argv: Argv = ["dovecot", "-F", "-c", file];
    this.#child = new Child(this.#syslog?.inside(argv) ?? argv);
    for (const port of [this.ports.pop3, this.ports.imap]) await greeting(port);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  said(): string {
    const own = existsSync(this.log) ? readFileSync(this.log, "utf8") : "";
    return tail(own + (this.#child?.lines.join("\n") ?? ""));
  }

  /** One of its users logs in from a local address, and out again. */
  visit(
    protocol: Protocol,
    client: string,
    user: (typeof users)[number] = "alice",
  ): Promise<Verdict> {
    return login({ protocol, port: this.ports[protocol], client, user, password });
  }

  #config(own: string): string {
    const { ports } = this;
    return `base_dir = ${own}/run
state_dir = ${own}/run
${this.#syslog ? "" : `log_path = ${this.log}`}
protocols = pop3 imap
listen = ${loopback.join(", ")}
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
mail_location = maildir:${own}/mail/%Ln
auth_mechanisms = plain login
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <${own}/cert.pem
ssl_key = <${own}/key.pem
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%u ${own}/passwd
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=${own}/mail/%Ln
}
# A failed login must not delay the next one from the same address.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${listeners("pop3", ports.pop3, ports.pop3s)}${listeners("imap", ports.imap, ports.imaps)}${this.#settings}`;
  }
}

// It greets once its authentication answers. Stopped before that, it hangs for its full time.
async function greeting(port: number): Promise<void> {
  await until(`port ${port} to listen`, () => connects("127.0.0.1", port));
  const dialogue = await Dialogue.open({ port, client: "127.0.0.1" });
  await dialogue.line();
  await dialogue.close();
}

function listeners(name: string, plain: number, tls: number): string {
  return `service ${name}-login {
  inet_listener ${name} {
    port = ${plain}
  }
  inet_listener ${name}s {
    port = ${tls}
    ssl = yes
  }
}
`;
}

function certificate(own: string): Argv {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", `${own}/key.pem`, "-out", `${own}/cert.pem`];
  return ["openssl", "req", "-x509", ...key, ...files, "-days", "2", "-subj", "/CN=mx.lab.test"];
}
