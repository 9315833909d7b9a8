/** One log, by its name, through all the files that bear it one after the other. */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { watch } from "chokidar";
import type { FSWatcher } from "chokidar";
import type { Clock } from "../clock.ts";
import { reasonOf, SourceError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint } from "../model.ts";
import { Reading } from "./generation.ts";
import type { Generation, Turn } from "./generation.ts";
import { Health } from "./health.ts";
import { History } from "./history.ts";
import { LineSplitter } from "./lines.ts";
import type { TakeLine } from "./lines.ts";
import { openAt } from "./resume.ts";
import type { Begin } from "./resume.ts";
import { sameInode, siblingOf } from "./siblings.ts";
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
const pollPause = 250;
/** The same while the log has been missing or unreadable for a short time only. */
const shortPause = 20;
const shortTime = 5000;
/** The loop is let go after so long, or after so many chunks if the clock stands still. */
const slice = 8;
const mostChunks = 64;
/** How long a stop may go on reading; what is left is read after the next start. */
const lastReading = 2000;

/**
 * Follows a log. One loop does it all, in rounds: read every open generation to its end, the oldest first; look at what the
 * name means now; read what is new. Events only start a round earlier: none of them is trusted, and none is needed.
 */
export class FileSource implements Source {
  readonly name: string;
  readonly #parts: Parts;
  readonly #health: Health;
  readonly #history: History;
  /** False until it is known where to begin: a log that is missing or unreadable may hold what the checkpoint names. */
  #begun = false;
  #triedWithout = false;
  #moved = false;
  #live = false;
  /** The live generation, if its descriptor went bad. */
  #bad: Generation | undefined;
  #names: FSWatcher | undefined;
  #directory: Stats | undefined;
  #hinted = false;
  #wake: (() => void) | undefined;
  #letGo = 0;
  #stopBy = Infinity;
  #starting: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { path, clock, log, since = Infinity } = parts;
    this.name = path;
    this.#parts = parts;
    this.#health = new Health(path, clock, log);
    const hint = this.#hint;
    this.#history = new History({ path, clock, log, begin: this.#begin, hint, since });
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
    refuseOtherKinds(this.name);
    this.#watchName();
    do {
      await this.#round();
      await setImmediate();
    } while (this.#moved && !this.#late);
    this.#live = true;
    this.#following = this.#follow();
  }

  async #stop(): Promise<void> {
    this.#stopBy = this.#parts.clock.monotonic() + (this.#live ? lastReading : 0);
    this.#hint();
    // Whoever started it is told if that failed.
    await this.#starting?.catch(() => undefined);
    await this.#following;
    if (this.#live) await this.#round();
    await this.#names?.close();
    this.#history.close();
  }

  async #follow(): Promise<void> {
    while (this.#stopBy === Infinity) {
      await this.#rest();
      this.#hinted = false;
      await this.#round();
    }
  }

  async #rest(): Promise<void> {
    if (this.#hinted) {
      await setImmediate();
      return;
    }
    const { ailing } = this.#health;
    const pause = this.#moved || (ailing > 0 && ailing < shortTime) ? shortPause : pollPause;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      const cancel = this.#parts.clock.after(pause, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  readonly #hint = (): void => {
    this.#hinted = true;
    this.#wake?.();
  };

  /** True when a stop can wait no longer. */
  get #late(): boolean {
    return this.#parts.clock.monotonic() >= this.#stopBy;
  }

  async #round(): Promise<void> {
    this.#letGo = this.#parts.clock.monotonic();
    try {
      await this.#read();
      if (!this.#late && (await this.#look())) await this.#read();
      this.#history.retire();
    } catch (thrown) {
      this.#health.failed("log cannot be followed", reasonOf(thrown));
    }
  }

  async #read(): Promise<void> {
    for (const generation of this.#history.generations.slice()) {
      if (this.#late) return;
      await this.#readOn(generation);
    }
  }

  async #readOn(generation: Generation): Promise<void> {
    for (let chunks = 1; !this.#late || chunks === 1; chunks++) {
      const turn = await this.#turn(generation);
      if (turn === "end") return;
      if (turn === "truncated") {
        // Nobody goes on with a rotated file from its start: it was overwritten by another one.
        if (generation !== this.#history.live) {
          this.#history.abandon(generation);
          return;
        }
        await this.#goOnFromCopies(generation);
      }
      if (chunks % mostChunks === 0 || this.#parts.clock.monotonic() - this.#letGo > slice) {
        await setImmediate();
        this.#letGo = this.#parts.clock.monotonic();
      }
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

  /** The live file was truncated: what was not read yet stands in the copies of it, if somebody made any. */
  async #goOnFromCopies(live: Generation): Promise<void> {
    const copies = await this.#history.recover(live);
    for (const copy of copies) await this.#readOn(copy);
    live.reading.restart((copies.at(-1) ?? live).reading.unterminated > 0);
  }

  /** Compares what the name means with the file that is open; true if there is more to read now. */
  async #look(): Promise<boolean> {
    const file = this.#fileNamed();
    this.#moved = false;
    try {
      if (!this.#begun) return await this.#beginWith(file);
      const { live } = this.#history;
      if (file === undefined) return false;
      if (live === undefined || !sameInode(live, file)) return await this.#switchTo(file);
      if (live === this.#bad) return await this.#reopen(live, file);
      this.#health.follows(live.reading.position.offset);
      return false;
    } catch (thrown) {
      this.#health.ails("log unreadable", reasonOf(thrown));
      return false;
    }
  }

  #fileNamed(): Sibling | undefined {
    try {
      const stats = statSync(this.name, { throwIfNoEntry: false });
      if (stats?.isFile() === true) return siblingOf(this.name, stats);
      if (stats === undefined) this.#health.ails("log missing");
      else this.#health.ails("log is not a file", kindOf(stats));
    } catch (thrown) {
      this.#health.ails("log unreadable", reasonOf(thrown));
    }
    return undefined;
  }

  async #beginWith(file: Sibling | undefined): Promise<boolean> {
    if (file === undefined && (this.#triedWithout || this.#health.trouble !== "log missing"))
      return false;
    this.#triedWithout ||= file === undefined;
    this.#begun = await this.#history.begin(this.#parts.checkpoint ?? [], file);
    if (file === undefined) return this.#begun;
    this.#moved = !this.#begun;
    if (this.#begun) this.#health.follows(this.#history.live?.reading.position.offset ?? 0);
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

  /** A descriptor can go bad on network file systems; the file is the same if its content is. */
  async #reopen(bad: Generation, file: Sibling): Promise<boolean> {
    const again = await openAt(file, bad.reading.lineStart, this.#begin);
    this.#bad = undefined;
    if (again === undefined) {
      this.#history.abandon(bad);
      return await this.#switchTo(file);
    }
    this.#history.replaceLive(again);
    return true;
  }

  /** Watches the name, once for each directory that its parent's name has meant. */
  #watchName(): void {
    const directory = statSync(dirname(this.name), { throwIfNoEntry: false });
    if (this.#names !== undefined) {
      if (directory === undefined || this.#directory === undefined) return;
      if (sameInode(directory, this.#directory)) return;
      void this.#names.close();
    }
    this.#directory = directory;
    this.#names = watch(this.name, { ignoreInitial: true, atomic: false });
    this.#names.on("all", this.#hint).on("error", (thrown) => {
      this.#parts.log.warning("cannot watch the name", {
        source: this.name,
        reason: reasonOf(thrown),
      });
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

function refuseOtherKinds(path: string): void {
  const stats = statOrUndefined(path);
  if (stats !== undefined && !stats.isFile())
    throw new SourceError(`${path}: is ${kindOf(stats)}, not a log`);
}

function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
