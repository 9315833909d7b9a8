/** The pipeline, top to bottom: line, login, guard, grant, map. Read this first. */
import type { Readable } from "node:stream";
import { isLogin } from "./adapters/matcher.ts";
import { answersOf } from "./answers.ts";
import type { Audit } from "./audit-event.ts";
import { tellBreadth } from "./beside.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Control } from "./control/control.ts";
import { Counters } from "./counters.ts";
import { reasonOf } from "./errors.ts";
import { Gate } from "./grants/gate.ts";
import type { Lock } from "./lock.ts";
import type { Log } from "./log.ts";
import type { AccessMap } from "./maps/map.ts";
import { Tables } from "./maps/tables.ts";
import { Matchers, type SourceMatcher } from "./matchers.ts";
import { Memory } from "./memory.ts";
import type { Line } from "./model.ts";
import { ordersOf } from "./orders.ts";
import { RefusedLines } from "./refused-lines.ts";
import { longestTtl, rulesOf } from "./rules.ts";
import type { Run, Spawn } from "./run.ts";
import type { SourceSettings } from "./sources/settings.ts";
import type { Wanted } from "./sources/source.ts";
import { Sources } from "./sources/sources.ts";
import { requireSameState, type Setup } from "./setup.ts";
import { lockState } from "./state-lock.ts";
import { loadState } from "./state.ts";
import type { State } from "./state-text.ts";

interface DaemonParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: Run;
  readonly spawn: Spawn;
  readonly ownAddresses: () => ReadonlySet<Client>;
  /** The zone of stamps that do not tell theirs, where a source does not say. */
  readonly zone: string;
  /** Standard input, for a source that reads it; and who is told when it ends. */
  readonly input: () => Readable;
  readonly ended: () => void;
  /** Told for each client that is granted: so many ms later a table has it. */
  readonly published?: (ms: number) => void;
  readonly audit?: Audit;
}

/** Milliseconds: clocks step and machines sleep, so no timer is trusted for longer. */
const longestNap = 5000;

/** One running popgate. */
export class Daemon {
  /** What it answers and does for whoever may ask. */
  readonly control: Omit<Control, "reload" | "metrics">;
  readonly #parts: DaemonParts;
  readonly #sources: Sources;
  readonly #matchers: Matchers;
  readonly #gate: Gate;
  readonly #tables: Tables;
  readonly #memory: Memory;
  readonly #refusedLines: RefusedLines;
  readonly #counters = new Counters();
  #config: Config;
  #maps: readonly AccessMap[];
  #lock: Lock | undefined;
  /** How often it was told to withdraw, and up to which time a reload has lifted that: until then the tables stay empty. */
  #withdrawals = 0;
  #lifted = 0;
  #cancelTimer = () => {};
  /** When the nap ends, in monotonic ms. */
  #wakes = -Infinity;
  #stopping = false;
  #ready = false;
  /** Settles when the state is loaded, or cannot be. */
  #loading: Promise<State> | undefined;
  #loaded = false;

  constructor(parts: DaemonParts, { config, maps, adapters }: Setup) {
    const { clock, log, run, audit } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#maps = maps;
    this.#gate = new Gate(parts, rulesOf(config));
    this.#refusedLines = new RefusedLines({ clock, log, counters: this.#counters }, config.ttl);
    this.#tables = new Tables({
      clock,
      log,
      run,
      clients: (ahead) => this.#published(ahead),
      excluded: () => this.#gate.excluded(),
      mostAhead: () => this.#config.ttl / 10,
      failOpenLimit: () => this.#config.fail_open_limit,
      forgotten: () => this.#memory.change(),
      published: parts.published,
    });
    this.#matchers = new Matchers(parts, adapters);
    this.#sources = new Sources({
      ...parts,
      wanted: (settings) => this.#wanted(settings),
      since: () => clock.now() - longestTtl(this.#config),
    });
    const common = { clock, log, gate: this.#gate, tables: this.#tables };
    const all = { ...common, sources: this.#sources, matchers: this.#matchers };
    this.#memory = new Memory({ ...all, directory: config.state_dir });
    const self = () => ({
      ready: this.#ready,
      withdrawn: this.#withdrawn,
      maxGrants: this.#config.guard.max_grants,
    });
    this.control = {
      ...answersOf({ ...all, audit, counters: this.#counters, self }),
      ...ordersOf({
        ...common,
        audit,
        memory: this.#memory,
        granted: this.#granted.bind(this),
        withdraw: () => void (this.#withdrawals += 1),
        self,
      }),
    };
  }

  /**
   * Resolves when it follows the logs; `ready` is told when the tables hold what they must, too. `owned` is called when the
   * state directory is this popgate's, which may be long before.
   * @throws KnownError for what makes a start impossible: another popgate, a state directory or a log path that cannot serve
   */
  async start(owned = async (): Promise<void> => {}): Promise<void> {
    const { checkpoints } = await (this.#loading = this.#load());
    await owned();
    // The tables are remembered before anything is in them: whatever happens next, they can be emptied.
    await this.#memory.announce(this.#maps);
    await this.#publish();
    if (this.#stopping) return;
    this.#nap();
    this.#memory.start();
    await this.#sources.configure(this.#config.source, checkpoints);
    this.#memory.keep({});
    this.#matchers.restore({});
    await this.#publish();
    void this.#tellReady();
  }

  async #load(): Promise<State> {
    const { clock, log, run } = this.#parts;
    this.#lock = await lockState(this.#config.state_dir, run);
    const state = await loadState(this.#config.state_dir, clock, log);
    await this.#gate.restore(state.grants, state.forgotten, state.saved, state.revocations);
    this.#memory.keep(state.checkpoints);
    this.#matchers.restore(state.open);
    this.#tables.configure(this.#maps, state.tables);
    this.#loaded = true;
    return state;
  }

  /** A table that cannot be written keeps popgate from being ready, and from nothing else. */
  async #tellReady(): Promise<void> {
    await this.#tables.published();
    if (this.#stopping || this.#ready) return;
    this.#ready = true;
    this.#parts.log.info("ready", { grants: this.#gate.size });
  }

  /** Monotonic ms: when that part of the pipeline that has been silent for longest last showed that it works. */
  beat(): number {
    return Math.min(this.#wakes, this.#sources.beat(), this.#tables.beat(), this.#memory.beat());
  }

  /** How often it was told to withdraw. */
  get withdrawals(): number {
    return this.#withdrawals;
  }

  /** Takes a new config; what no longer passes it is revoked at once. `withdrawals` when this was ordered: a later one holds. */
  async reload({ config, maps, adapters }: Setup, withdrawals = this.#withdrawals): Promise<void> {
    requireSameState(this.#config.state_dir, config);
    this.#config = config;
    this.#maps = maps;
    await this.#gate.change(rulesOf(config));
    this.#lifted = withdrawals;
    this.#memory.change();
    this.#nap();
    this.#tables.request("removal");
    await this.#memory.announce(maps);
    if (this.#stopping) return;
    this.#tables.configure(maps, []);
    await this.#publish();
    if (this.#stopping) return;
    await this.#sources.configure(config.source, {}, this.#matchers.change(adapters));
    this.#parts.log.info("reloaded", { grants: this.#gate.size });
    void this.#tellReady();
  }

  /**
   * Reads what is there, saves, empties every table, and lets go. May be called at any time.
   * @throws KnownError if a table could not be emptied
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTimer();
    // Whoever started it is told if that failed; what the state remembers is needed to empty every table.
    await this.#loading?.catch(() => {});
    await this.#sources.stop();
    this.#memory.stop();
    if (this.#lock === undefined) return;
    if (this.#loaded) await this.#saveAtLast();
    else this.#tables.configure(this.#maps, []);
    const lock = this.#lock;
    this.#lock = undefined;
    await this.#tables.stop().finally(() => lock.release());
  }

  async #saveAtLast(): Promise<void> {
    try {
      await this.#memory.saveAtLast();
    } catch (error) {
      this.#parts.log.error("state not saved, a restart will forget", { reason: reasonOf(error) });
    }
  }

  #wanted(settings: SourceSettings): Wanted {
    const matcher = this.#matchers.create(settings);
    return {
      wants: matcher.wants,
      programs: matcher.programs,
      timeOf: (bytes) => matcher.timeOf(bytes, this.#parts.clock.now()),
      deliver: (line) => this.#read(line, matcher),
    };
  }

  #read(line: Line, matcher: SourceMatcher): void {
    const match = matcher.match(line, this.#parts.clock.now());
    if (match === undefined) return;
    if (!isLogin(match)) return this.#refusedLines.add(line, match);
    this.#counters.lastLogin = this.#parts.clock.now();
    const change = this.#gate.take(match, line);
    if (change === "none") return;
    this.#memory.change();
    if (change === "renewed") return this.#tables.request("renewal");
    if (change === "revoked") return this.#tables.request("removal");
    if (change === "granted") this.#granted(match.client);
    else this.#wakeInTime();
  }

  #granted(client: Client): void {
    this.#tables.request("addition");
    tellBreadth(client, { gate: this.#gate, tables: this.#tables, log: this.#parts.log });
    this.#wakeInTime();
  }

  /** A grant may end before the nap does. */
  #wakeInTime(): void {
    if (this.#gate.untilNextExpiry() < this.#wakes - this.#parts.clock.monotonic()) this.#nap();
  }

  /** Sleeps until the next grant ends, or for a few seconds. */
  #nap(): void {
    this.#cancelTimer();
    if (this.#stopping) return;
    const ms = Math.min(longestNap, this.#gate.untilNextExpiry());
    this.#wakes = this.#parts.clock.monotonic() + ms;
    this.#cancelTimer = this.#parts.clock.after(ms, () => {
      if (this.#gate.expire()) {
        this.#memory.change();
        this.#tables.request("expiry");
      }
      this.#tables.restore();
      this.#matchers.watch();
      this.#nap();
    });
  }

  /** A table that cannot be written does not hold anything else up: its publisher tells, and tries again. */
  async #publish(): Promise<void> {
    await this.#tables.publish().catch(() => {});
  }

  get #withdrawn(): boolean {
    return this.#withdrawals > this.#lifted;
  }

  #published(ahead: number): Iterable<Client> {
    return this.#withdrawn || this.#stopping ? [] : this.#gate.clients(ahead);
  }
}
