/** One log, by its name, through all the files that bear it one after the other. */
import { dirname } from "node:path";
import { watch } from "chokidar";
import type { FSWatcher } from "chokidar";
import type { Clock } from "../clock.ts";
import { codeOf, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint } from "../model.ts";
import { Reading } from "./generation.ts";
import type { Generation, Turn } from "./generation.ts";
import { Health } from "./health.ts";
import { History } from "./history.ts";
import { Inode } from "./inode.ts";
import { LineSplitter } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import { inodeNamed, lookAt, requireLog } from "./named.ts";
import { Pace } from "./pace.ts";
import type { Begin } from "./resume.ts";
import { sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";
import type { Deliver, Source } from "./source.ts";

interface Parts {
  readonly path: string;
  /** A line is delivered if it holds one of these. */
  readonly markers: readonly Buffer[];
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: Deliver;
  /** Wall clock, ms: without a checkpoint, rotated files that changed last before it are not read. Default: none is. */
  readonly since?: number | undefined;
  readonly checkpoint?: Checkpoint | undefined;
}

/** How often the name and the files are looked at when nobody gives a hint. Milliseconds, like all below. */
const pause = 250;
/** The same while the log has been in trouble for a short time only. */
const shortPause = 20;
const shortTime = 5000;
/** How long a stop may go on reading; what is left is read after the next start. */
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
  readonly #history: History;
  /** False until it is known where to begin: a log that is missing or unreadable may hold what the checkpoint names. */
  #begun = false;
  #triedWithout = false;
  /** A rotation went on during the last look. */
  #moved = false;
  #live = false;
  /** The live generation, if its descriptor went bad. */
  #bad: Generation | undefined;
  #names: FSWatcher | undefined;
  #directory: string | undefined;
  #starting: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { path, clock, log, since = Infinity } = parts;
    this.name = path;
    this.#parts = parts;
    this.#pace = new Pace(clock);
    this.#health = new Health(path, clock, log);
    this.#history = new History({
      path,
      clock,
      log,
      since,
      begin: this.#begin,
      hint: this.#pace.hint,
      cannotWatch: (reason) => this.#health.cannotWatch(reason),
    });
  }

  start(): Promise<void> {
    return (this.#starting ??= this.#start());
  }

  stop(): Promise<void> {
    return (this.#ending ??= this.#stop());
  }

  checkpoint(): Checkpoint {
    return this.#begun ? this.#history.checkpoint : (this.#parts.checkpoint ?? []);
  }

  async #start(): Promise<void> {
    requireLog(this.name);
    this.#watchName();
    do {
      await this.#round();
      await this.#pace.breathe();
    } while (this.#moved && !this.#pace.late);
    this.#live = true;
    this.#following = this.#follow();
  }

  async #stop(): Promise<void> {
    this.#pace.endWithin(this.#live ? lastReading : 0);
    // Whoever started it is told if that failed.
    await this.#starting?.catch(() => undefined);
    await this.#following;
    if (this.#live) await this.#round();
    await this.#names?.close();
    this.#history.close();
  }

  async #follow(): Promise<void> {
    while (!this.#pace.ending) {
      const { ailing } = this.#health;
      const short = this.#moved || (ailing > 0 && ailing < shortTime);
      await this.#pace.rest(short ? shortPause : pause);
      await this.#round();
    }
  }

  async #round(): Promise<void> {
    try {
      await this.#read();
      if (!this.#pace.late && (await this.#look())) await this.#read();
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
    while (!this.#pace.late) {
      const turn = await this.#turn(generation);
      if (turn === "end") return;
      if (turn !== "more" && generation === this.#history.live && generation instanceof Inode) {
        await this.#readCopies(generation, turn === "truncated");
      } else if (turn === "truncated") {
        // Nobody goes on with a rotated file from its start: it was overwritten by another one.
        this.#history.abandon(generation);
        return;
      }
      await this.#pace.breathe();
    }
  }

  async #turn(generation: Generation): Promise<Turn> {
    const { reading } = generation;
    const { seen, dropped } = reading;
    try {
      const turn = await generation.read();
      if (reading.seen !== seen) this.#history.grew(generation);
      this.#health.dropped(reading.dropped - dropped);
      return turn;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (generation === this.#history.live) {
        this.#bad = generation;
        this.#health.ails("log unreadable", reason);
      } else {
        this.#history.abandon(generation);
        this.#parts.log.warning("possible gap", { source: this.name, reason });
      }
      return "end";
    }
  }

  /** What is missing before the start of the live file stands in copies of it, if somebody made any and truncated it. */
  async #readCopies(live: Inode, shrank: boolean): Promise<void> {
    const copies = await this.#history.recover(live, shrank);
    for (const copy of copies) await this.#readOn(copy);
    if (shrank || copies.length > 0) live.restart((copies.at(-1) ?? live).reading.unterminated > 0);
  }

  /** Compares what the name means with the file that is open; true if there is more to read now. */
  async #look(): Promise<boolean> {
    const named = lookAt(this.name);
    const { file } = named;
    if (named.file === undefined) this.#health.ails(named.trouble, named.reason);
    this.#moved = false;
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
    this.#watchName();
    return true;
  }

  /** A descriptor can go bad, as on network file systems. Whether it is well again, the next reading tells. */
  async #reopen(file: Sibling): Promise<boolean> {
    const same = await this.#history.reopen(file);
    this.#bad = undefined;
    return same || (await this.#switchTo(file));
  }

  /** Watches the name, and again when its directory has been replaced. */
  #watchName(): void {
    const directory = inodeNamed(dirname(this.name));
    if (this.#names !== undefined) {
      if (directory === this.#directory) return;
      void this.#names.close();
    }
    this.#directory = directory;
    this.#names = watch(this.name, { ignoreInitial: true, atomic: false });
    this.#names.on("all", this.#pace.hint).on("error", (thrown) => {
      // Whatever else fails there is seen by the next look at the name.
      if (["ENOSPC", "EMFILE", "ENFILE"].includes(codeOf(thrown) ?? ""))
        this.#health.cannotWatch(reasonOf(thrown));
    });
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
