/** What a running popgate must know again after a restart: put together, and saved when it has changed. */
import type { Clock } from "./clock.ts";
import { PublishError, reasonOf } from "./errors.ts";
import type { Gate } from "./grants/gate.ts";
import type { Log } from "./log.ts";
import type { AccessMap } from "./maps/map.ts";
import type { Matchers } from "./matchers.ts";
import type { Tables } from "./maps/tables.ts";
import { Saver } from "./saver.ts";
import type { Sources } from "./sources/sources.ts";
import { saveState } from "./state.ts";
import type { State } from "./state-text.ts";

/** Milliseconds between two saves when nobody logged in: what is read again after a crash has no effect. */
const checkpointPause = 10_000;

interface MemoryParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The state directory. */
  readonly directory: string;
  readonly gate: Gate;
  readonly tables: Tables;
  readonly sources: Sources;
  readonly matchers: Matchers;
}

/** The state on disk, as far as the pipeline that runs is concerned. */
export class Memory {
  readonly #parts: MemoryParts;
  readonly #saver: Saver;
  #changed = false;
  #savedSources = "";
  #savedAt = -Infinity;
  /** The checkpoints of the state that was loaded, until the sources have their own. */
  #former: State["checkpoints"] = {};
  /** Maps of a config that is about to be taken. */
  #announced: readonly AccessMap[] = [];

  constructor(parts: MemoryParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#saver = new Saver({
      clock,
      log,
      changed: () => this.#hasChanged(),
      save: () => this.#save(),
    });
  }

  /** Says that grants or tables are not what was saved. */
  change(): void {
    this.#changed = true;
    this.#saver.ask();
  }

  /** Takes the checkpoints of the state for the sources' own, as long as they have none. */
  keep(checkpoints: State["checkpoints"]): void {
    this.#former = checkpoints;
  }

  /**
   * Saves at once, the tables of these maps too, however long a full disk makes it wait: whatever happens then, they can be emptied.
   * @throws PublishError if waiting would not help
   */
  async announce(maps: readonly AccessMap[]): Promise<void> {
    this.#announced = maps;
    await this.#saver.insist().catch((error: unknown) => {
      throw new PublishError(`state_dir ${this.#parts.directory}: ${reasonOf(error)}`);
    });
  }

  /** Saves at once. Throws what keeps it from being written. */
  save(): Promise<void> {
    return this.#saver.save();
  }

  /** Saves from now on whenever something has changed. */
  start(): void {
    this.#saver.start();
  }

  /** Saves no more by itself. */
  stop(): void {
    this.#saver.stop();
  }

  /** Saves for the last time. Throws what keeps it from being written within some seconds. */
  saveAtLast(): Promise<void> {
    return this.#saver.saveAtLast();
  }

  /** Monotonic ms: when the save began that is under way; Infinity if none is. */
  beat(): number {
    return this.#saver.beat;
  }

  #hasChanged(): boolean {
    if (this.#changed) return true;
    if (this.#parts.clock.monotonic() - this.#savedAt < checkpointPause) return false;
    const { sources } = this.#parts;
    return JSON.stringify([sources.checkpoints(), sources.progress()]) !== this.#savedSources;
  }

  async #save(): Promise<void> {
    const { clock, directory, gate, tables, sources, matchers } = this.#parts;
    // Taken in one turn: a checkpoint never stands behind a login that the saved grants lack, nor behind half a login.
    const own = sources.checkpoints();
    const progress = sources.progress();
    const state = {
      saved: clock.now(),
      forgotten: gate.forgotten,
      revocations: gate.revocations(),
      checkpoints: { ...this.#former, ...own },
      open: matchers.open(),
      sources: progress,
      tables: tables.rememberedWith(this.#announced),
      grants: gate.live(),
    };
    this.#changed = false;
    try {
      await saveState(directory, state);
      this.#savedSources = JSON.stringify([own, progress]);
      this.#savedAt = clock.monotonic();
    } catch (error) {
      this.change();
      throw error;
    }
  }
}
