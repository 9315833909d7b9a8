/** The generations of one log that are open: which they are, in which order they are read, and how long they are kept. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint, Mark } from "../model.ts";
import type { Generation } from "./generation.ts";
import { Inode } from "./inode.ts";
import { beginning, toMark } from "./mark.ts";
import { closeAll, findHolder, findMarked, openAt, openWhole } from "./resume.ts";
import type { Begin } from "./resume.ts";
import { identityOf, sameInode, siblingsOf } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

interface Parts {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly begin: Begin;
  /** Called when something happened to one of the inodes. */
  readonly hint: () => void;
  /** Wall clock, ms: rotated files that changed last before it are not read without a checkpoint. */
  readonly since: number;
}

/** Writers may hold on to a rotated file: it is read on until it has not grown for so long. Milliseconds. */
const linger = 10_000;
const mostLingering = 8;

/** A rotation that goes on while files are opened is waited for, but not for ever. */
const mostTries = 5;

/** Knows what is to be read; `FileSource` reads it, the oldest first. */
export class History {
  /** Counts the generations that the log has gone through. */
  rotations = 0;
  readonly #parts: Parts;
  /** The oldest first. The last is the one that the name means, or meant last. */
  #generations: Generation[] = [];
  readonly #grown = new Map<Generation, number>();
  /** The rotated files that have been read, or are too old to be: any other is younger than the live one. */
  #known = new Set<string>();
  /** The youngest generation that was closed: what follows it is not known from an empty live file's content. */
  #closed: Mark | undefined;
  #tries = 0;
  #polling = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Those to read, in this order. */
  get generations(): readonly Generation[] {
    return this.#generations;
  }

  /** The youngest. */
  get live(): Generation | undefined {
    return this.#generations.at(-1);
  }

  /** How far they all have been read. */
  get checkpoint(): Checkpoint {
    const marks = this.#generations.map(markOf);
    return marks[0]?.offset === 0 && this.#closed !== undefined ? [this.#closed, ...marks] : marks;
  }

  /** To be called when a turn of reading has found something new. */
  grew(generation: Generation): void {
    this.#grown.set(generation, this.#parts.clock.monotonic());
  }

  /**
   * Opens what is to be read after a checkpoint, or without one (an empty one): the files that it names, all younger ones,
   * and the live file, which may be missing. Says whether it could; if not, it is to be tried again.
   * @throws a system error if the live file cannot be read
   */
  async begin(marks: Checkpoint, live: Sibling | undefined): Promise<boolean> {
    const { begin, path } = this.#parts;
    await this.#probe(live);
    const siblings = siblingsOf(path).filter((file) => !isLive(file, live));
    const files = live === undefined ? siblings : [...siblings, live];
    const { found, gap } = await findMarked(marks, files, begin);
    const last = found.at(-1)?.index;
    // Without the live file there is no telling yet whether the marks lead nowhere.
    if (marks.length > 0 && last === undefined && live === undefined) return false;
    const younger =
      last === undefined
        ? files.filter((file) => file === live || file.modified >= this.#parts.since)
        : files.slice(last + 1);
    const whole = await this.#openWhole(younger);
    if (whole === undefined) {
      closeAll(found.map(({ generation }) => generation));
      return false;
    }
    if (gap) this.#tellGap("what was read before is in no file any more");
    for (const { generation } of found) this.#adopt(generation);
    for (const generation of whole) this.#adopt(generation);
    this.#remember(siblings);
    return true;
  }

  /**
   * The name means another file now: opens it, and whatever was born and rotated away since the last look.
   * Says whether it could; if not, it is to be tried again.
   * @throws a system error if the new file cannot be read
   */
  async switchTo(live: Sibling): Promise<boolean> {
    const { begin, path } = this.#parts;
    const old = this.live;
    const again = this.#generations.find((generation) => sameInode(generation, live));
    if (again !== undefined) {
      this.#generations = [...this.#generations.filter((one) => one !== again), again];
      this.#tellRotated(0);
      return true;
    }
    await this.#probe(live);
    const siblings = siblingsOf(path).filter((file) => !isLive(file, live));
    const between = await this.#openWhole(await this.#youngerThan(old, siblings));
    if (between === undefined) return false;
    const from = this.#closed === undefined ? undefined : await this.#seenBefore(live);
    const next = from ?? (await openAt(live, beginning, begin));
    if (next === undefined) {
      closeAll(between);
      return false;
    }
    for (const generation of [...between, next]) this.#adopt(generation);
    if (old !== undefined) this.grew(old);
    this.#remember(siblings);
    if (old !== undefined) this.#tellRotated(between.length);
    return true;
  }

  /**
   * The live file was truncated: opens the copies that were made of it before, to be read before it goes on from its start.
   */
  async recover(live: Generation): Promise<readonly Generation[]> {
    const { path, log } = this.#parts;
    const copies = await this.#copiesOf(live);
    // A copy over an older copy: the old content is gone, and its inode is read from elsewhere now.
    this.#drop(this.#generations.filter((one) => copies.some((copy) => sameInode(copy, one))));
    this.#generations.pop();
    for (const generation of [...copies, live]) this.#adopt(generation);
    this.#remember(siblingsOf(path));
    log.info("truncated", { source: path, copies: copies.length });
    if (copies.length === 0 && live.reading.lineStart.offset > 0)
      this.#tellGap("the log was truncated, and nobody made a copy of it");
    return copies;
  }

  /** Gives up a generation that can be read no further. */
  abandon(generation: Generation): void {
    this.#drop([generation]);
  }

  /** Puts a file that was opened again in the place of one whose descriptor went bad. */
  replaceLive(generation: Generation): void {
    this.#drop(this.#generations.slice(-1));
    this.#adopt(generation);
  }

  /** Closes what has lingered long enough. The oldest goes first, so that what is left follows what was closed. */
  retire(): void {
    const now = this.#parts.clock.monotonic();
    for (;;) {
      const oldest = this.#generations[0];
      const lingering = this.#generations.length - 1;
      if (oldest === undefined || lingering === 0) return;
      const quiet = now - (this.#grown.get(oldest) ?? now);
      if (quiet < linger && lingering <= mostLingering) return;
      const { unterminated } = oldest.reading;
      if (unterminated > 0)
        this.#parts.log.warning("line unterminated", {
          source: this.#parts.path,
          bytes: unterminated,
        });
      this.#closed = markOf(oldest);
      this.#drop([oldest]);
    }
  }

  /** Closes everything; the checkpoint stays. */
  close(): void {
    closeAll(this.#generations);
  }

  #adopt(generation: Generation): void {
    this.#generations.push(generation);
    this.grew(generation);
    if (!(generation instanceof Inode)) return;
    try {
      generation.watch(this.#parts.hint);
    } catch (thrown) {
      if (!this.#polling)
        this.#parts.log.warning("cannot watch, looking 4 times a second instead", {
          source: this.#parts.path,
          reason: reasonOf(thrown),
        });
      this.#polling = true;
    }
  }

  #drop(generations: readonly Generation[]): void {
    closeAll(generations);
    for (const generation of generations) this.#grown.delete(generation);
    this.#generations = this.#generations.filter((one) => !generations.includes(one));
  }

  /** Throws if the live file cannot be opened, before anything else is. */
  async #probe(live: Sibling | undefined): Promise<void> {
    if (live !== undefined) (await openAt(live, beginning, this.#parts.begin))?.close();
  }

  /** The rotated files that are younger than a generation, and not open yet. */
  async #youngerThan(
    old: Generation | undefined,
    siblings: readonly Sibling[],
  ): Promise<readonly Sibling[]> {
    let index = old === undefined ? -1 : siblings.findIndex((file) => sameInode(file, old));
    if (index === -1 && old !== undefined) {
      // It may have been compressed already, or unlinked.
      const position = old.reading.lineStart;
      const holder = await findHolder(position, old, siblings, this.#parts.begin);
      holder?.generation.close();
      index = holder?.index ?? -1;
    }
    return siblings.slice(index + 1).filter((file) => this.#isNew(file));
  }

  /** The copy that goes on where the live file was left, and the copies that were made after it. */
  async #copiesOf(live: Generation): Promise<readonly Generation[]> {
    const { begin, path } = this.#parts;
    for (;;) {
      const siblings = siblingsOf(path).filter((file) => !sameInode(file, live));
      const holder = await findHolder(live.reading.lineStart, live, siblings, begin);
      const rest = holder === undefined ? siblings : siblings.slice(holder.index + 1);
      const younger = await this.#openWhole(rest.filter((file) => this.#isNew(file)));
      if (younger !== undefined)
        return holder === undefined ? younger : [holder.generation, ...younger];
      holder?.generation.close();
    }
  }

  #isNew(file: Sibling): boolean {
    return (
      !this.#known.has(identityOf(file)) &&
      !this.#generations.some((generation) => sameInode(generation, file))
    );
  }

  /** A file that came back: one that was closed is not read again from its start. */
  async #seenBefore(live: Sibling): Promise<Generation | undefined> {
    const found = await findMarked(
      this.#closed === undefined ? [] : [this.#closed],
      [live],
      this.#parts.begin,
    );
    return found.found[0]?.generation;
  }

  async #openWhole(files: readonly Sibling[]): Promise<readonly Generation[] | undefined> {
    const { begin } = this.#parts;
    const generations = await openWhole(files, begin, ({ path }, thrown) => {
      this.#tellGap(`${path}: ${reasonOf(thrown)}`);
    });
    this.#tries = generations === undefined ? this.#tries + 1 : 0;
    if (generations !== undefined || this.#tries < mostTries) return generations;
    this.#tellGap("a rotated file is not to be had");
    return [];
  }

  #remember(siblings: readonly Sibling[]): void {
    this.#known = new Set(siblings.map(identityOf));
  }

  #tellRotated(between: number): void {
    this.rotations += 1 + between;
    this.#parts.log.info("rotated", {
      source: this.#parts.path,
      between: between === 0 ? undefined : between,
    });
  }

  #tellGap(reason: string): void {
    this.#parts.log.warning("possible gap", { source: this.#parts.path, reason });
  }
}

function isLive(file: Sibling, live: Sibling | undefined): boolean {
  return live !== undefined && sameInode(file, live);
}

function markOf(generation: Generation): Mark {
  return toMark(generation.dev, generation.ino, generation.reading.lineStart);
}
