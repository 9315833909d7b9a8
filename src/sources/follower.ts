/** One log in rounds: what is open is read, the name is looked at, and what it means now is read. */
import { codeOf, reasonOf } from "../errors.ts";
import type { Mark } from "../model.ts";
import type { Generation, Turn } from "./generation.ts";
import type { Health } from "./health.ts";
import { unreadable } from "./generations.ts";
import type { History } from "./history.ts";
import { Inode } from "./inode.ts";
import { lookAt } from "./named.ts";
import type { Pace } from "./pace.ts";
import { skipOld } from "./recent.ts";
import { sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";
import type { Wanted } from "./source.ts";
import type { Tally } from "./tally.ts";
import type { NameWatcher } from "./watcher.ts";

interface Parts {
  readonly path: string;
  readonly pace: Pace;
  readonly health: Health;
  readonly tally: Tally;
  readonly history: History;
  readonly watcher: NameWatcher;
  readonly checkpoint: readonly Mark[];
  /** Wall clock, ms: what is older does not matter. */
  readonly since: number;
  /** The moment of a line; without it, all is read. */
  readonly timeOf: Wanted["timeOf"] | undefined;
}

/** Each round starts from nothing but what the last one left; what goes wrong in it is told, and tried again in the next. */
export class Follower {
  readonly #parts: Parts;
  readonly #pace: Pace;
  readonly #health: Health;
  readonly #tally: Tally;
  readonly #history: History;
  /** False until it is known where to begin: a log that is missing or unreadable may hold what the checkpoint names. */
  #begun = false;
  #triedWithout = false;
  /** A rotation went on during the last look. */
  #moved = false;
  /** Copies of the live file are to be read first, and cannot be had now. */
  #waits = false;
  /** The live generation, if its descriptor went bad. */
  #bad: Generation | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pace = parts.pace;
    this.#health = parts.health;
    this.#tally = parts.tally;
    this.#history = parts.history;
  }

  /** True if the next round is to come soon: a rotation goes on. */
  get moved(): boolean {
    return this.#moved;
  }

  /** How far it has delivered. */
  get checkpoint(): readonly Mark[] {
    return this.#begun ? this.#history.checkpoint : this.#parts.checkpoint;
  }

  /** Bytes that are there and were not read; undefined while that cannot be known. */
  get unread(): number | undefined {
    const unopened = this.#health.trouble === "log unreadable" && this.#bad === undefined;
    return this.#begun && !unopened ? this.#history.unread : undefined;
  }

  /** Never throws. */
  async round(): Promise<void> {
    this.#tally.looks();
    this.#waits = false;
    try {
      await this.#read();
      if (!this.#pace.late && (await this.#look())) await this.#read();
      const unread =
        this.#moved || this.#history.generations.fails || this.#health.trouble === "log unreadable";
      if (!this.#pace.late && !unread) this.#tally.reachedEnd();
      this.#history.generations.retire();
    } catch (thrown) {
      this.#health.failed("log cannot be followed", reasonOf(thrown));
    }
  }

  async #read(): Promise<void> {
    for (const generation of this.#history.generations.all) {
      if (this.#pace.late) return;
      await this.#readOn(generation);
    }
  }

  async #readOn(generation: Generation): Promise<void> {
    for (let more = false; !this.#pace.late;) {
      const turn = await this.#turn(generation);
      if (turn === "end") return;
      if (
        turn !== "more" &&
        generation === this.#history.generations.live &&
        generation instanceof Inode
      ) {
        if (!(await this.#readCopies(generation, turn === "truncated"))) return;
      } else if (turn === "truncated") {
        // Nobody goes on with a rotated file from its start: it was overwritten by another one.
        if (more) this.#tally.gap("a rotated file was overwritten while it was read");
        this.#history.generations.abandon(generation);
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
        this.#history.generations.grew(generation);
        this.#pace.found();
        this.#tally.counted(counts, reading.counts);
      }
      return turn;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (generation === this.#history.generations.live) {
        this.#bad = generation;
        this.#health.ails("log unreadable", reason);
      } else if (generation instanceof Inode) {
        this.#history.generations.failed(generation, reason);
        this.#health.failed("rotated log unreadable", reason);
      } else {
        this.#tally.gap(unreadable(reason));
        this.#history.generations.abandon(generation);
      }
      return "end";
    }
  }

  /**
   * What is missing before the start of the live file stands in copies of it, if somebody made any and truncated it.
   * Says whether they could be looked for; the live file is not read before.
   */
  async #readCopies(live: Inode, shrank: boolean): Promise<boolean> {
    let recovered: Awaited<ReturnType<History["recover"]>>;
    try {
      recovered = await this.#history.recover(live, shrank);
    } finally {
      if (recovered === undefined) live.lookAgain();
    }
    if (recovered === undefined) {
      this.#waits = true;
      return false;
    }
    const { copies, goesOn } = recovered;
    const last = copies.at(-1);
    const isHalf = live.reading.unterminated > 0 || live.reading.beginsCut;
    // Where no copy goes on with half a line, its other half may come first; and by a hole no copy is known for one.
    if (shrank || last !== undefined) live.restart(isHalf && (!goesOn || live.start()[0] === 0));
    if (last !== undefined) live.reading.follow(last.reading);
    for (const copy of copies) await this.#readOn(copy);
    return true;
  }

  /** Compares what the name means with the file that is open; true if there is more to read now. */
  async #look(): Promise<boolean> {
    const named = lookAt(this.#parts.path);
    const { file } = named;
    if (named.file === undefined) this.#health.ails(named.trouble, named.reason);
    this.#moved = this.#waits && file !== undefined;
    if (this.#waits) return false;
    try {
      if (!this.#begun) return await this.#beginWith(file);
      const { live } = this.#history.generations;
      if (file === undefined) return false;
      if (live === undefined || !sameInode(live, file)) return await this.#switchTo(file);
      if (live === this.#bad) return this.#reopen(file);
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
    this.#begun = await this.#history.begin(this.#parts.checkpoint, file);
    this.#moved = !this.#begun && file !== undefined;
    if (this.#begun) await this.#skipOld();
    if (this.#begun && file !== undefined) {
      this.#health.follows(this.#history.generations.live?.reading.position.offset ?? 0);
      this.#parts.watcher.watch();
    }
    return this.#begun;
  }

  async #skipOld(): Promise<void> {
    const { since, timeOf } = this.#parts;
    if (timeOf === undefined) return;
    const breathe = () => this.#pace.breathe();
    for (const one of this.#history.generations.all) {
      const skipped = one instanceof Inode ? await skipOld(one, { timeOf, since, breathe }) : 0;
      if (skipped > 0) this.#tally.skipped(skipped);
    }
  }

  async #switchTo(file: Sibling): Promise<boolean> {
    this.#moved = !(await this.#history.switchTo(file));
    if (this.#moved) return false;
    this.#bad = undefined;
    this.#health.follows(0);
    this.#parts.watcher.watch();
    return true;
  }

  /** A descriptor can go bad, as on network file systems. Whether it is well again, the next reading tells. */
  #reopen(file: Sibling): boolean {
    const opened = this.#history.reopen(file);
    this.#moved = !opened;
    if (opened) this.#bad = undefined;
    return opened;
  }
}
