/** Asks the host: its addresses, its MTA, and where its mail logs go. */
import { networkInterfaces } from "node:os";
import { canonicalClient, networks, type Client } from "./client.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";
import type { MapSettings, Mta } from "./maps/map.ts";
import type { Run } from "./run.ts";

/** The time zone of this host, as an IANA name. */
export function hostZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The addresses of this host's interfaces, as they are now. */
export function ownAddresses(): ReadonlySet<Client> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(
    addresses
      .map(({ address }) => canonicalClient(address.split("%")[0] ?? ""))
      .filter((client) => client !== undefined),
  );
}

/**
 * Completes the maps of the config with what this host has by default: the MTA, and its default table type.
 * @throws ConfigError that names each map whose MTA or type cannot be known
 */
export async function completeMaps(maps: Config["map"], run: Run): Promise<MapSettings[]> {
  const faults: string[] = [];
  const complete: MapSettings[] = [];
  for (const map of maps) {
    const mta = map.mta ?? (await mtaOf(map.table, run));
    if (mta === undefined) {
      faults.push(
        `${map.table}: none of postconf, smtpctl, makemap is on PATH; name the MTA in the config: mta = "exim"`,
      );
      continue;
    }
    try {
      complete.push({ ...map, mta, table: await withType(mta, map, run) });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return complete;
}

/** Postfix where postconf is, else OpenSMTPD where smtpctl is, else Sendmail where makemap is, which OpenSMTPD has too. */
async function mtaOf(table: string, run: Run): Promise<Mta | undefined> {
  if (!(await run(["postconf", "-d", "-h", "mail_version"])).missing) return "postfix";
  if (!(await run(["smtpctl"])).missing) return "opensmtpd";
  if (!(await run(["makemap", "-l"])).missing) return "sendmail";
  return table.startsWith("/") && (await hasExim(run)) ? "exim" : undefined;
}

async function hasExim(run: Run): Promise<boolean> {
  for (const name of ["exim4", "exim"]) {
    if (!(await run([name, "-bV"])).missing) return true;
  }
  return false;
}

async function withType(mta: Mta, map: Config["map"][number], run: Run): Promise<string> {
  if (!map.table.startsWith("/") || mta === "exim") return map.table;
  if (mta === "sendmail") return `hash:${map.table}`;
  if (mta === "opensmtpd") return `db:${map.table}`;
  const argument = map.config_dir === undefined ? [] : ["-c", map.config_dir];
  const answer = await run(["postconf", ...argument, "-h", "default_database_type"]);
  if (answer.ok && answer.stdout !== "") return `${answer.stdout}:${map.table}`;
  throw new ConfigError([
    `${map.table}: postconf does not tell Postfix's default table type (${answer.reason}); write the type: lmdb:${map.table}`,
  ]);
}

/** What Postfix is told about who may relay, with `$name` expanded; undefined where postconf cannot be had. */
export interface PostfixRestrictions {
  readonly relay: string;
  readonly recipient: string;
  readonly client: string;
  readonly mynetworks: string;
  /** master.cf's own settings of the same names: `submission/inet/smtpd_relay_restrictions` and its value. */
  readonly services: ReadonlyMap<string, string>;
}

/** Reads the restrictions of the Postfix instance at `configDir`, or of the default one. */
export async function postfixRestrictions(
  configDir: string | undefined,
  run: Run,
): Promise<PostfixRestrictions | undefined> {
  const argument = configDir === undefined ? [] : ["-c", configDir];
  const value = async (name: string) => (await run(["postconf", ...argument, "-xh", name])).stdout;
  const services = await run(["postconf", ...argument, "-Px"]);
  if (services.missing) return undefined;
  const pairs = services.stdout
    .split("\n")
    .map((line) => /^(\S+\/smtpd_(?:relay|recipient)_restrictions) = (.*)$/.exec(line))
    .filter((match) => match !== null);
  return {
    relay: await value("smtpd_relay_restrictions"),
    recipient: await value("smtpd_recipient_restrictions"),
    client: await value("smtpd_client_restrictions"),
    mynetworks: await value("mynetworks"),
    services: new Map(pairs.map(([, name = "", restrictions = ""]) => [name, restrictions])),
  };
}

/** Whether a client is in Postfix's mynetworks; undefined if that names more than networks, and none of these has it. */
export function isInMynetworks(mynetworks: string, client: Client): boolean | undefined {
  let known = true;
  for (const word of mynetworks.split(/[\s,]+/).filter(Boolean)) {
    const text = word.replace(/[[\]]/g, "");
    // Postfix's default has the loopback in this form, too.
    const [, four, bits] = /^::ffff:([\d.]+)\/(\d+)$/i.exec(text) ?? [];
    try {
      const network = four === undefined ? text : `${four}/${String(Number(bits) - 96)}`;
      if (networks([network]).has(client)) return true;
    } catch {
      known = false;
    }
  }
  return known ? false : undefined;
}

/** Where the mail logs of this host may be, when the one that was named is not there: one sentence each. */
export async function otherLogs(exists: (path: string) => boolean, run: Run): Promise<string[]> {
  const found: string[] = [];
  const dovecot = await run(["doveconf", "-h", "log_path", "info_log_path"]);
  if (dovecot.ok) {
    const [logPath = "", infoPath = ""] = dovecot.stdout.split("\n");
    const path = infoPath === "" ? logPath : infoPath;
    found.push(
      path === "syslog" || path === ""
        ? "Dovecot logs through syslog (doveconf log_path)"
        : `Dovecot logs to ${path} (doveconf log_path)`,
    );
  }
  for (const path of ["/var/log/mail.log", "/var/log/maillog", "/var/log/mail.info"]) {
    if (exists(path)) found.push(`${path} is there`);
  }
  if (exists("/run/systemd/journal/socket")) {
    found.push(
      "this host has a systemd journal; a syslog daemon such as rsyslog writes it to /var/log/mail.log",
    );
  }
  return found;
}
