/** One log, by its name, through all the files that bear it one after the other. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoints, Mark, Progress } from "../model.ts";
import { Follower } from "./follower.ts";
import { Reading } from "./generation.ts";
import { Health } from "./health.ts";
import { History } from "./history.ts";
import { LineSplitter } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import { isMountPoint } from "./mounts.ts";
import { requireLog } from "./named.ts";
import { Pace } from "./pace.ts";
import type { Begin } from "./resume.ts";
import type { Deliver, Source, Wanted, Wants } from "./source.ts";
import { Tally } from "./tally.ts";
import { NameWatcher } from "./watcher.ts";

interface Parts {
  readonly path: string;
  /** A line is delivered if this says so. */
  readonly wants: Wants;
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: Deliver;
  /** Wall clock, ms: what is older does not matter. Default: without a checkpoint, no rotated file does. */
  readonly since?: number | undefined;
  /** The moment of a line, ms since 1970; undefined if it does not tell. Default: none does, and all is read. */
  readonly timeOf?: Wanted["timeOf"] | undefined;
  readonly checkpoint?: readonly Mark[] | undefined;
}

/** How long a stop may go on reading, in ms; what is left is read after the next start. */
const lastReading = 2000;

/**
 * Follows a log. One loop does it all, in rounds: read every open generation to its end, the oldest first; look at what the
 * name means now; read what is new. Events only start a round earlier: none of them is trusted, and none is needed.
 */
export class FileSource implements Source {
  readonly name: string;
  readonly #parts: Parts;
  readonly #pace: Pace;
  readonly #health: Health;
  readonly #tally: Tally;
  readonly #history: History;
  readonly #watcher: NameWatcher;
  readonly #follower: Follower;
  #live = false;
  #starting: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { path, clock, log, since = Infinity, timeOf, checkpoint = [] } = parts;
    this.name = path;
    this.#parts = parts;
    this.#pace = new Pace(clock);
    this.#health = new Health(path, clock, log);
    this.#tally = new Tally(path, clock, log);
    this.#history = new History({
      path,
      clock,
      tally: this.#tally,
      since,
      begin: this.#begin,
      hint: this.#pace.hint,
      cannotWatch: this.#health.cannotWatch,
    });
    const { hint } = this.#pace;
    this.#watcher = new NameWatcher({ path, hint, refused: this.#health.cannotWatch });
    this.#follower = new Follower({
      path,
      pace: this.#pace,
      health: this.#health,
      tally: this.#tally,
      history: this.#history,
      watcher: this.#watcher,
      checkpoint,
      since,
      timeOf,
    });
  }

  start(): Promise<void> {
    return (this.#starting ??= this.#start());
  }

  stop(): Promise<void> {
    return (this.#ending ??= this.#stop());
  }

  checkpoints(): Checkpoints {
    return { [this.name]: this.checkpoint() };
  }

  /** How far it has delivered. */
  checkpoint(): readonly Mark[] {
    return this.#follower.checkpoint;
  }

  progress(): readonly Progress[] {
    const { complaint: trouble } = this.#health;
    const { unread: lag_bytes } = this.#follower;
    return [this.#tally.progress({ position: this.#position, lag_bytes, trouble })];
  }

  beat(): number {
    return this.#ending === undefined ? this.#pace.beat : Infinity;
  }

  get #position(): string {
    return String(this.#history.generations.live?.reading.lineStart.offset ?? 0);
  }

  async #start(): Promise<void> {
    requireLog(this.name);
    if (isMountPoint(this.name)) this.#health.mountedAlone();
    this.#watcher.watch();
    await this.#pace.turn();
    do {
      await this.#follower.round();
      await this.#pace.breathe();
    } while (this.#follower.moved && !this.#pace.late);
    this.#live = true;
    if (!this.#pace.ending) this.#tellAll("caught up");
    this.#following = this.#follow();
  }

  async #stop(): Promise<void> {
    this.#pace.endWithin(this.#live ? lastReading : 0);
    // Whoever started it is told if that failed.
    await this.#starting?.catch(() => undefined);
    await this.#following;
    if (this.#live) await this.#follower.round();
    await this.#watcher.close();
    this.#tellAll("stopped");
    this.#history.generations.close();
  }

  #tellAll(event: string): void {
    if (this.#history.generations.live !== undefined) this.#tally.tell(event, this.#position);
  }

  async #follow(): Promise<void> {
    while (!this.#pace.ending) {
      await this.#pace.rest(this.#follower.moved ? "moving" : this.#health.condition);
      await this.#follower.round();
    }
  }

  readonly #take: TakeLine = (bytes, offset, number) => {
    try {
      this.#parts.deliver({ source: this.name, bytes, offset, number, live: this.#live });
    } catch (thrown) {
      this.#health.failed("a line could not be dealt with", reasonOf(thrown));
    }
  };

  readonly #begin: Begin = (from) =>
    new Reading(new LineSplitter(this.#parts.wants), this.#take, from);
}
