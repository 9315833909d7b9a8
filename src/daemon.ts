/** The pipeline, top to bottom: line, login, guard, grant, map. Read this first. */
import { Matcher, isLogin } from "./adapters/matcher.ts";
import { reasonTexts as lineReasons, type Refusal } from "./adapters/refusal.ts";
import { adapters } from "./adapters/index.ts";
import { networks, type Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Config, SourceSettings } from "./config.ts";
import { codeOf, ConfigError, PublishError, reasonOf } from "./errors.ts";
import { Gate, type Rules } from "./grants/gate.ts";
import { Refusals } from "./grants/refusals.ts";
import type { Lock } from "./lock.ts";
import type { Log } from "./log.ts";
import type { AccessMap } from "./maps/map.ts";
import { Tables } from "./maps/tables.ts";
import type { Line } from "./model.ts";
import type { Run } from "./run.ts";
import { Saver } from "./saver.ts";
import { Sources } from "./sources/sources.ts";
import type { Setup } from "./setup.ts";
import { loadState, lockState, saveState } from "./state.ts";
import { pendingWithdrawal, withdrawalDone } from "./withdrawal.ts";

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

/** Milliseconds between two saves when nobody logged in: what is read again after a crash has no effect. */
const checkpointPause = 10_000;

/** Troubles of a disk that may be over without anybody changing the config. */
const passing = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE"]);

/** One running popgate. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #sources: Sources<SourceSettings>;
  readonly #gate: Gate;
  readonly #tables: Tables;
  readonly #saver: Saver;
  readonly #refusedLines: Refusals;
  #config: Config;
  #maps: readonly AccessMap[];
  #lock: Lock | undefined;
  /** Told to withdraw: the tables stay empty until the next start or reload. */
  #withdrawn = false;
  #changed = false;
  #savedCheckpoints = "";
  #savedAt = -Infinity;
  #cancelTimer = () => {};
  /** When the nap ends, in monotonic ms. */
  #wakes = -Infinity;
  #stopping = false;

  constructor(parts: DaemonParts, { config, maps }: Setup) {
    const { clock, log, run } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#maps = maps;
    this.#gate = new Gate(parts, rulesOf(config));
    this.#refusedLines = new Refusals(config.ttl);
    this.#tables = new Tables({
      clock,
      log,
      run,
      clients: () => this.#published(),
      forgotten: () => {
        this.#changed = true;
      },
    });
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
    const { clock, log, run } = this.#parts;
    this.#lock = await lockState(this.#config.state_dir, run);
    const state = await loadState(this.#config.state_dir, clock, log);
    this.#gate.restore(state.grants, state.forgotten, state.saved);
    // The tables are remembered before anything is in them: whatever happens next, they can be emptied.
    this.#tables.configure(this.#maps, state.tables);
    await this.#remember();
    await this.#publish();
    this.#nap();
    this.#saver.start();
    await this.#sources.configure(this.#config.source, state.checkpoints);
    await this.#publish();
    await this.#tables.published();
    if (!this.#stopping) log.info("ready", { grants: this.#gate.size });
  }

  /** Takes a new config; what no longer passes it is revoked at once. */
  async reload({ config, maps }: Setup): Promise<void> {
    if (config.state_dir !== this.#config.state_dir) {
      throw new ConfigError(["state_dir: cannot change while popgate runs; restart it"]);
    }
    this.#config = config;
    this.#maps = maps;
    this.#gate.change(rulesOf(config));
    this.#withdrawn = false;
    this.#changed = true;
    this.#tables.configure(maps, []);
    await this.#remember();
    await this.#publish();
    this.#nap();
    await this.#sources.configure(config.source);
    this.#parts.log.info("reloaded", { grants: this.#gate.size });
  }

  /** Does what `popgate withdraw` left in the state directory, if anything. */
  async withdraw(): Promise<void> {
    const { log } = this.#parts;
    const withdrawal = pendingWithdrawal(this.#config.state_dir);
    if (withdrawal === undefined) return;
    if (withdrawal.forget) this.#gate.forget();
    else this.#withdrawn = true;
    this.#changed = true;
    await this.#tables.publish();
    if (withdrawal.forget) await this.#saver.save();
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
    const match = matcher.match(line, this.#parts.clock.now());
    if (match === undefined) return;
    if (!isLogin(match)) return this.#tellRefused(line, match);
    const change = this.#gate.take(match);
    if (change === "none") return;
    this.#changed = true;
    if (change === "renewed") return;
    this.#tables.request("addition");
    for (const table of this.#tables.leavingOut(match.client)) {
      const reason = "the MTA would take its address for a whole network";
      this.#parts.log.warning("not published", { client: match.client, table, reason });
    }
    if (this.#gate.untilNextExpiry() < this.#wakes - this.#parts.clock.monotonic()) this.#nap();
  }

  /** Told once a ttl for each adapter and reason: strangers can make such lines. */
  #tellRefused({ source, offset }: Line, { refused, adapter }: Refusal): void {
    if (!this.#refusedLines.isNews(adapter, refused, this.#parts.clock.monotonic())) return;
    this.#parts.log.warning("line refused", {
      reason: lineReasons[refused],
      adapter,
      source,
      offset,
    });
  }

  /** Sleeps until the next grant ends, or for a few seconds. */
  #nap(): void {
    this.#cancelTimer();
    if (this.#stopping) return;
    const ms = Math.min(longestNap, this.#gate.untilNextExpiry());
    this.#wakes = this.#parts.clock.monotonic() + ms;
    this.#cancelTimer = this.#parts.clock.after(ms, () => {
      if (this.#gate.expire()) {
        this.#changed = true;
        this.#tables.request("removal");
      }
      this.#tables.restore();
      this.#nap();
    });
  }

  /** Saves, however long a full disk makes it wait: no table is filled that would be unknown after a crash. */
  async #remember(): Promise<void> {
    const { clock, log } = this.#parts;
    for (let tries = 0; !this.#stopping; tries++) {
      try {
        return await this.#saver.save();
      } catch (error) {
        if (!passing.has(codeOf(error) ?? "")) {
          throw new PublishError(`state_dir ${this.#config.state_dir}: ${reasonOf(error)}`);
        }
        const reason = reasonOf(error);
        if (tries % 60 === 0) log.error("state not saved, waiting", { reason });
        await new Promise<void>((resolve) => {
          clock.after(1000, resolve);
        });
      }
    }
  }

  /** A table that cannot be written does not hold anything else up: its publisher tells, and tries again. */
  async #publish(): Promise<void> {
    await this.#tables.publish().catch(() => {});
  }

  #published(): Iterable<Client> {
    return this.#withdrawn ? [] : this.#gate.clients();
  }

  #hasChanged(): boolean {
    if (this.#changed) return true;
    if (this.#parts.clock.monotonic() - this.#savedAt < checkpointPause) return false;
    return JSON.stringify(this.#sources.checkpoints()) !== this.#savedCheckpoints;
  }

  async #save(): Promise<void> {
    // Taken in one turn: a checkpoint never stands behind a login that the saved grants lack.
    const checkpoints = this.#sources.checkpoints();
    const grants = [...this.#gate.live()];
    this.#changed = false;
    try {
      await saveState(this.#config.state_dir, {
        saved: this.#parts.clock.now(),
        forgotten: this.#gate.forgotten,
        checkpoints,
        tables: this.#tables.remembered,
        grants,
      });
      this.#savedCheckpoints = JSON.stringify(checkpoints);
      this.#savedAt = this.#parts.clock.monotonic();
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }
}

function rulesOf({ ttl, guard }: Config): Rules {
  return {
    ttl,
    never: networks(guard.never),
    allow: networks(guard.allow),
    maxGrants: guard.max_grants,
    maxClientsPerUser: guard.max_clients_per_user,
  };
}
