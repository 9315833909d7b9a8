/** The pipeline, top to bottom: line, login, guard, grant, map. Read this first. */
import { Matcher, isLogin } from "./adapters/matcher.ts";
import { reasonTexts as lineReasons, type Refusal } from "./adapters/refusal.ts";
import { adapters } from "./adapters/index.ts";
import { networks, type Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Config, SourceSettings } from "./config.ts";
import { ConfigError, exit, KnownError, reasonOf } from "./errors.ts";
import { Grants } from "./grants/grants.ts";
import { reasonTexts as guardReasons, refusalOf, type Policy } from "./grants/guard.ts";
import { Refusals } from "./grants/refusals.ts";
import { acquireLock, lockHolder, type Lock } from "./lock.ts";
import type { Log } from "./log.ts";
import type { AccessMap } from "./maps/map.ts";
import { Tables } from "./maps/tables.ts";
import type { Grant, Line } from "./model.ts";
import type { Run } from "./run.ts";
import { Saver } from "./saver.ts";
import { Sources } from "./sources/sources.ts";
import type { Setup } from "./setup.ts";
import { loadState, saveState } from "./state.ts";
import { pendingWithdrawal, stateLock, withdrawalDone } from "./withdrawal.ts";

interface DaemonParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: Run;
  readonly ownAddresses: () => ReadonlySet<Client>;
  /** The zone of stamps that do not tell theirs, where a source does not say. */
  readonly zone: string;
}

/** Milliseconds: clocks step and machines sleep, so no timer is trusted for longer. */
const longestNap = 5000;

/** One running popgate. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #sources: Sources<SourceSettings>;
  readonly #tables: Tables;
  readonly #saver: Saver;
  #config: Config;
  #maps: readonly AccessMap[];
  #policy: Policy;
  #grants: Grants;
  #refusals: Refusals;
  #lock: Lock | undefined;
  /** Logins stamped before this grant nothing; ms since 1970. */
  #forgotten = 0;
  /** Told to withdraw: the tables stay empty until the next start or reload. */
  #withdrawn = false;
  #changed = false;
  #savedCheckpoints = "";
  #cancelTimer = () => {};
  #stopping = false;

  constructor(parts: DaemonParts, { config, maps }: Setup) {
    const { clock, log, run } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#maps = maps;
    this.#policy = this.#policyOf(config);
    this.#grants = new Grants(clock, config.guard.max_grants);
    this.#refusals = new Refusals(config.ttl);
    this.#tables = new Tables({ clock, log, run, clients: () => this.#published() });
    this.#saver = new Saver({
      clock,
      log,
      changed: () => this.#hasChanged(),
      save: () => this.#save(),
    });
    this.#sources = new Sources({
      clock,
      log,
      deliverer: (settings) => this.#deliverer(settings),
      since: () => clock.now() - this.#config.ttl,
    });
  }

  /**
   * Resolves when it follows the logs and the tables hold what they must.
   * @throws KnownError for what makes a start impossible: another popgate, a state directory or a log path that cannot serve
   */
  async start(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#lock = await this.#acquireLock();
    const state = await loadState(this.#config.state_dir, clock, log);
    this.#forgotten = state.forgotten;
    for (const { grant, left } of state.grants.map((one) => ({
      grant: one,
      left: one.expires - state.saved,
    }))) {
      this.#admit(grant, left);
    }
    // The tables are remembered before anything is in them: whatever happens next, they can be emptied.
    this.#tables.configure(this.#maps, state.tables);
    await this.#saver.save();
    await this.#publish();
    this.#nap();
    this.#saver.start();
    await this.#sources.configure(this.#config.source, state.checkpoints);
    await this.#publish();
    await this.#tables.published();
    if (!this.#stopping) log.info("ready", { grants: this.#grants.size });
  }

  /** Takes a new config; what no longer passes it is revoked at once. */
  async reload({ config, maps }: Setup): Promise<void> {
    if (config.state_dir !== this.#config.state_dir) {
      throw new ConfigError(["state_dir: cannot change while popgate runs; restart it"]);
    }
    const before = [...this.#grants.live()];
    this.#config = config;
    this.#maps = maps;
    this.#policy = this.#policyOf(config);
    this.#grants = new Grants(this.#parts.clock, config.guard.max_grants);
    this.#refusals = new Refusals(config.ttl);
    this.#withdrawn = false;
    for (const grant of before) this.#admit(grant);
    this.#changed = true;
    this.#tables.configure(maps, []);
    await this.#saver.save();
    await this.#publish();
    this.#nap();
    await this.#sources.configure(config.source);
    this.#parts.log.info("reloaded", { grants: this.#grants.size });
  }

  /** Does what `popgate withdraw` left in the state directory, if anything. */
  async withdraw(): Promise<void> {
    const { clock, log } = this.#parts;
    const withdrawal = pendingWithdrawal(this.#config.state_dir);
    if (withdrawal === undefined) return;
    if (withdrawal.forget) {
      this.#forgotten = clock.now();
      this.#grants = new Grants(clock, this.#config.guard.max_grants);
      this.#changed = true;
      await this.#saver.save();
    } else {
      this.#withdrawn = true;
    }
    await this.#tables.publish();
    withdrawalDone(this.#config.state_dir);
    log.warning(
      withdrawal.forget ? "withdrawn, all grants forgotten" : "withdrawn until a restart or reload",
    );
  }

  /**
   * Reads what is there, saves, empties every table, and lets go. May be called at any time.
   * @throws KnownError if a table could not be emptied
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTimer();
    await this.#sources.stop();
    await this.#saver.stop();
    this.#withdrawn = true;
    if (this.#lock === undefined) return;
    try {
      await this.#saver.save();
    } catch (error) {
      this.#parts.log.error("state not saved, a restart will forget", { reason: reasonOf(error) });
    }
    await this.#tables.stop();
    this.#lock.release();
    this.#lock = undefined;
  }

  #deliverer(settings: SourceSettings) {
    const chosen = adapters.filter(({ name }) => settings.adapters?.includes(name) ?? true);
    const matcher = new Matcher(chosen, { zone: settings.zone ?? this.#parts.zone });
    return { markers: matcher.markers, deliver: (line: Line) => this.#read(line, matcher) };
  }

  #read(line: Line, matcher: Matcher): void {
    const { clock, log } = this.#parts;
    const login = matcher.match(line, clock.now());
    if (login === undefined) return;
    if (!isLogin(login)) return this.#tellUnread(line, login);
    const { client, user, adapter, service } = login;
    if (login.at < this.#forgotten || login.at + this.#config.ttl <= clock.now()) return;
    const reason = refusalOf(login, this.#policy, this.#grants);
    if (reason !== undefined) {
      if (!this.#refusals.isNews(client, reason, clock.monotonic())) return;
      return log.info("refused", { client, user, reason: guardReasons[reason] });
    }
    const effect = this.#grants.grant(login, this.#config.ttl);
    if (effect === "granted" || effect === "renewed") this.#changed = true;
    if (effect !== "granted") return;
    log.info("granted", {
      client,
      user,
      service,
      adapter,
      until: untilOf(this.#grants.of(client)),
    });
    this.#tables.request("addition");
    this.#nap();
  }

  #tellUnread({ source, offset }: Line, { refused, adapter }: Refusal): void {
    if (!this.#refusals.isNews(adapter as Client, refused, this.#parts.clock.monotonic())) return;
    this.#parts.log.warning("line refused", {
      reason: lineReasons[refused],
      adapter,
      source,
      offset,
    });
  }

  /** Takes an earlier grant into the cache, if the guard lets it pass now. */
  #admit(grant: Grant, left?: number): void {
    const reason = refusalOf(grant, this.#policy, this.#grants);
    if (reason === undefined) this.#grants.restore(grant, this.#config.ttl, left);
    else
      this.#parts.log.info("revoked", {
        client: grant.client,
        user: grant.user,
        reason: guardReasons[reason],
      });
  }

  /** Sleeps until the next grant ends, or for a few seconds. */
  #nap(): void {
    this.#cancelTimer();
    if (this.#stopping) return;
    const ms = Math.min(longestNap, this.#grants.untilNextExpiry() ?? longestNap);
    this.#cancelTimer = this.#parts.clock.after(ms, () => {
      this.#expire();
      this.#policy = this.#policyOf(this.#config);
      this.#nap();
    });
  }

  #expire(): void {
    const expired = this.#grants.expire();
    if (expired.length === 0) return;
    this.#changed = true;
    this.#tables.request("removal");
    for (const { client, user } of expired) this.#parts.log.info("expired", { client, user });
  }

  /** A table that cannot be written does not hold anything else up: its publisher tells, and tries again. */
  async #publish(): Promise<void> {
    await this.#tables.publish().catch(() => {});
  }

  #published(): Iterable<Client> {
    return this.#withdrawn ? [] : this.#grants.clients();
  }

  #policyOf({ guard }: Config): Policy {
    return {
      never: networks(guard.never),
      allow: networks(guard.allow),
      own: this.#parts.ownAddresses(),
      maxClientsPerUser: guard.max_clients_per_user,
    };
  }

  #hasChanged(): boolean {
    return this.#changed || JSON.stringify(this.#sources.checkpoints()) !== this.#savedCheckpoints;
  }

  async #save(): Promise<void> {
    // Taken in one turn: a checkpoint never stands behind a login that the saved grants lack.
    const checkpoints = this.#sources.checkpoints();
    const grants = [...this.#grants.live()];
    this.#changed = false;
    try {
      await saveState(this.#config.state_dir, {
        saved: this.#parts.clock.now(),
        forgotten: this.#forgotten,
        checkpoints,
        tables: this.#tables.remembered,
        grants,
      });
      this.#savedCheckpoints = JSON.stringify(checkpoints);
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }

  async #acquireLock(): Promise<Lock> {
    const file = stateLock(this.#config.state_dir);
    const lock = await acquireLock(file, this.#parts.run);
    if (lock !== undefined) return lock;
    const holder = lockHolder(file);
    throw new KnownError(
      `another popgate${holder === undefined ? "" : ` (pid ${String(holder)})`} runs on ${this.#config.state_dir}; stop it, or give this one a state_dir of its own`,
      exit.tempFail,
    );
  }
}

function untilOf(grant: Grant | undefined): string | undefined {
  return grant === undefined ? undefined : new Date(grant.expires).toISOString();
}
