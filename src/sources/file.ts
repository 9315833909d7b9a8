/** One log, by its name, through all the files that bear it one after the other. */
import type { Clock } from "../clock.ts";
import { codeOf, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint, Checkpoints, Mark, Progress } from "../model.ts";
import { Reading } from "./generation.ts";
import type { Generation, Turn } from "./generation.ts";
import { Health } from "./health.ts";
import { History } from "./history.ts";
import { Inode } from "./inode.ts";
import { LineSplitter } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import { isMountPoint } from "./mounts.ts";
import { lookAt, requireLog } from "./named.ts";
import { Pace } from "./pace.ts";
import type { Begin } from "./resume.ts";
import { sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";
import type { Deliver, Source } from "./source.ts";
import { Tally } from "./tally.ts";
import { NameWatcher } from "./watcher.ts";

interface Parts {
  readonly path: string;
  /** A line is delivered if it holds one of these. */
  readonly markers: readonly Buffer[];
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: Deliver;
  /** Wall clock, ms: without a checkpoint, rotated files that changed last before it are not read. Default: none is. */
  readonly since?: number | undefined;
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
  /** False until it is known where to begin: a log that is missing or unreadable may hold what the checkpoint names. */
  #begun = false;
  #triedWithout = false;
  /** A rotation went on during the last look. */
  #moved = false;
  /** Copies of the live file are to be read first, and cannot be had now. */
  #waits = false;
  #live = false;
  /** The live generation, if its descriptor went bad. */
  #bad: Generation | undefined;
  #starting: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { path, clock, log, since = Infinity } = parts;
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
    return this.#begun ? this.#history.checkpoint : (this.#parts.checkpoint ?? []);
  }

  progress(): readonly Progress[] {
    const { unread: lag_bytes } = this.#history;
    const { complaint: trouble } = this.#health;
    return [this.#tally.progress({ position: this.#position, lag_bytes, trouble })];
  }

  get #position(): string {
    return String(this.#history.live?.reading.lineStart.offset ?? 0);
  }

  async #start(): Promise<void> {
    requireLog(this.name);
    if (isMountPoint(this.name)) this.#health.mountedAlone();
    this.#watcher.watch();
    await this.#pace.turn();
    do {
      await this.#round();
      await this.#pace.breathe();
    } while (this.#moved && !this.#pace.late);
    this.#live = true;
    if (!this.#pace.ending) this.#tellAll("caught up");
    this.#following = this.#follow();
  }

  async #stop(): Promise<void> {
    this.#pace.endWithin(this.#live ? lastReading : 0);
    // Whoever started it is told if that failed.
    await this.#starting?.catch(() => undefined);
    await this.#following;
    if (this.#live) await this.#round();
    await this.#watcher.close();
    this.#tellAll("stopped");
    this.#history.close();
  }

  #tellAll(event: string): void {
    if (this.#history.live !== undefined) this.#tally.tell(event, this.#position);
  }

  async #follow(): Promise<void> {
    while (!this.#pace.ending) {
      await this.#pace.rest(this.#moved ? "moving" : this.#health.condition);
      await this.#round();
    }
  }

  async #round(): Promise<void> {
    this.#tally.looks();
    this.#waits = false;
    try {
      await this.#read();
      if (!this.#pace.late && (await this.#look())) await this.#read();
      if (!this.#pace.late && !this.#moved && this.#health.trouble !== "log unreadable")
        this.#tally.reachedEnd();
      this.#history.retire();
    } catch (thrown) {
      this.#health.failed("log cannot be followed", reasonOf(thrown));
    }
  }

  async #read(): Promise<void> {
    for (const generation of this.#history.generations) {
      if (this.#pace.late) return;
      await this.#readOn(generation);
    }
  }

  async #readOn(generation: Generation): Promise<void> {
    for (let more = false; !this.#pace.late;) {
      const turn = await this.#turn(generation);
      if (turn === "end") return;
      if (turn !== "more" && generation === this.#history.live && generation instanceof Inode) {
        if (!(await this.#readCopies(generation, turn === "truncated"))) return;
      } else if (turn === "truncated") {
        // Nobody goes on with a rotated file from its start: it was overwritten by another one.
        if (more) this.#tally.gap("a rotated file was overwritten while it was read");
        this.#history.abandon(generation);
        return;
      }
      more = turn === "more";
      await this.#pace.breathe();
    }
  }

  async #turn(generation: Generation): Promise<Turn> {
    const { reading } = generation;
    const { seen, counts } = reading;
    try {
      const turn = await generation.read();
      if (reading.seen !== seen) {
        this.#history.grew(generation);
        this.#pace.found();
        this.#tally.counted(counts, reading.counts);
      }
      return turn;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (generation === this.#history.live) {
        this.#bad = generation;
        this.#health.ails("log unreadable", reason);
      } else {
        this.#tally.gap(reason);
        this.#history.abandon(generation);
      }
      return "end";
    }
  }

  /**
   * What is missing before the start of the live file stands in copies of it, if somebody made any and truncated it.
   * Says whether they could be looked for; the live file is not read before.
   */
  async #readCopies(live: Inode, shrank: boolean): Promise<boolean> {
    const copies = await this.#history.recover(live, shrank);
    if (copies === undefined) {
      live.lookAgain();
      this.#waits = true;
      return false;
    }
    const last = copies.at(-1);
    if (shrank || last !== undefined)
      live.restart(last === undefined && live.reading.unterminated > 0);
    if (last !== undefined) live.reading.follow(last.reading);
    for (const copy of copies) await this.#readOn(copy);
    return true;
  }

  /** Compares what the name means with the file that is open; true if there is more to read now. */
  async #look(): Promise<boolean> {
    const named = lookAt(this.name);
    const { file } = named;
    if (named.file === undefined) this.#health.ails(named.trouble, named.reason);
    this.#moved = this.#waits && file !== undefined;
    if (this.#waits) return false;
    try {
      if (!this.#begun) return await this.#beginWith(file);
      const { live } = this.#history;
      if (file === undefined) return false;
      if (live === undefined || !sameInode(live, file)) return await this.#switchTo(file);
      if (live === this.#bad) return await this.#reopen(file);
      this.#health.follows(live.reading.position.offset);
      return false;
    } catch (thrown) {
      if (codeOf(thrown) === undefined) throw thrown;
      this.#health.ails("log unreadable", reasonOf(thrown));
      return false;
    }
  }

  async #beginWith(file: Sibling | undefined): Promise<boolean> {
    if (file === undefined) {
      if (this.#triedWithout || this.#health.trouble !== "log missing") return false;
      this.#triedWithout = true;
    }
    this.#begun = await this.#history.begin(this.#parts.checkpoint ?? [], file);
    this.#moved = !this.#begun && file !== undefined;
    if (this.#begun && file !== undefined)
      this.#health.follows(this.#history.live?.reading.position.offset ?? 0);
    return this.#begun;
  }

  async #switchTo(file: Sibling): Promise<boolean> {
    this.#moved = !(await this.#history.switchTo(file));
    if (this.#moved) return false;
    this.#bad = undefined;
    this.#health.follows(0);
    this.#watcher.watch();
    return true;
  }

  /** A descriptor can go bad, as on network file systems. Whether it is well again, the next reading tells. */
  async #reopen(file: Sibling): Promise<boolean> {
    const same = await this.#history.reopen(file);
    this.#bad = undefined;
    return same || (await this.#switchTo(file));
  }

  readonly #take: TakeLine = (bytes, offset, number) => {
    try {
      this.#parts.deliver({ source: this.name, bytes, offset, number, live: this.#live });
    } catch (thrown) {
      this.#health.failed("a line could not be dealt with", reasonOf(thrown));
    }
  };

  readonly #begin: Begin = (from) =>
    new Reading(new LineSplitter(this.#parts.markers), this.#take, from);
}

/** What a checkpoint says of a file; undefined if it is of something else, or there is none. */
export function marksOf(checkpoint: Checkpoint | undefined): readonly Mark[] | undefined {
  return checkpoint === undefined || "cursor" in checkpoint ? undefined : checkpoint;
}
