/** Which generations of one log are to be read, and from where: after a start, a rotation, a truncation. */
import { closeSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { Mark } from "../model.ts";
import { linkCopies, linkFound } from "./copies.ts";
import type { Generation } from "./generation.ts";
import { Generations } from "./generations.ts";
import { Inode, openFile } from "./inode.ts";
import { beginning, toMark } from "./mark.ts";
import { Past, readOf, withStart } from "./past.ts";
import type { Read } from "./past.ts";
import { closeAll, findMarked, openAt } from "./resume.ts";
import type { Begin } from "./resume.ts";
import { sameInode } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";
import type { Tally } from "./tally.ts";
import { Unread } from "./unread.ts";

interface Parts {
  readonly path: string;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly begin: Begin;
  /** Called when something happened to one of the inodes. */
  readonly hint: () => void;
  /** Called when the kernel refuses to watch an inode. */
  readonly cannotWatch: (reason: string) => void;
  /** Wall clock, ms: rotated files that changed last before it are not read without a checkpoint. */
  readonly since: number;
}

/** What was found of a file that was truncated. */
interface Recovered {
  /** To be read first, the oldest first. */
  readonly copies: readonly Generation[];
  /** One of them goes on where the file was left. */
  readonly goesOn: boolean;
}

/** Opens what is to be read; does not read itself. */
export class History {
  readonly #parts: Parts;
  readonly #unread: Unread;
  readonly #past = new Past();
  readonly #generations: Generations;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#generations = new Generations({ ...parts, past: this.#past });
    this.#unread = new Unread({ ...parts, tellGap: (reason) => parts.tally.gap(reason) });
  }

  /** What is open. */
  get generations(): Generations {
    return this.#generations;
  }

  /** How far they all have been read. */
  get checkpoint(): readonly Mark[] {
    const open = this.#generations.all.map(readOf);
    const tellsWhere = open.length > 0 && open[0]?.position.offset !== 0;
    const all = tellsWhere ? open : [...this.#past.files.slice(-1), ...open];
    return all.map(toMark);
  }

  /** Bytes that are there and were not read; undefined while that cannot be known. */
  get unread(): number | undefined {
    return this.#generations.all.reduce<number | undefined>(
      (sum, { unread }) => (sum === undefined || unread === undefined ? undefined : sum + unread),
      0,
    );
  }

  /**
   * Opens what is to be read after a checkpoint, or without one (an empty one): the files that it names, all younger ones,
   * and the live file, which may be missing. Says whether it could; if not, it is to be tried again.
   * @throws a system error if the live file cannot be read
   */
  async begin(marks: readonly Mark[], live: Sibling | undefined): Promise<boolean> {
    await this.#probe(live);
    const siblings = await this.#unread.list(live);
    const files = live === undefined ? siblings : [...siblings, live];
    const { found, gap } = await findMarked(marks, files, this.#parts);
    const last = found.at(-1)?.index;
    // Without the live file there is no telling yet whether the marks lead nowhere.
    if (marks.length > 0 && last === undefined && live === undefined) return false;
    const younger =
      last === undefined
        ? files.filter((file) => file === live || file.modified >= this.#parts.since)
        : files.slice(last + 1);
    const all = found.map(({ generation }) => generation);
    let settled = false;
    try {
      const whole = await this.#unread.openWhole(younger);
      all.push(...(whole ?? []));
      settled =
        whole !== undefined && !this.#unread.moved && !(await this.#unread.isTruncated(live));
    } finally {
      if (!settled) closeAll(all);
    }
    if (!settled) return false;
    if (gap) this.#parts.tally.gap("what was read before is in no file any more");
    await linkFound(all, found, files, marks);
    this.#generations.adopt(all);
    this.#parts.tally.passedOn(Math.max(0, all.length - 1));
    this.#unread.remember(siblings);
    return true;
  }

  /**
   * The name means another file now: opens it, and whatever was born and rotated away since the last look.
   * Says whether it could; if not, it is to be tried again.
   * @throws a system error if the new file cannot be read
   */
  async switchTo(live: Sibling): Promise<boolean> {
    const old = this.#generations.live;
    const again = this.#generations.all.find((generation) => sameInode(generation, live));
    if (again !== undefined) {
      this.#generations.moveLast(again);
      this.#parts.tally.rotated(0);
      return true;
    }
    await this.#probe(live);
    const siblings = await this.#unread.list(live);
    const between = await this.#unread.openNew(siblings, this.#read);
    if (between === undefined) return false;
    let next: Generation | undefined;
    try {
      next = (await this.#cameBack(live)) ?? (await openAt(live, beginning, this.#parts.begin));
    } finally {
      if (next === undefined) closeAll(between);
    }
    if (next === undefined) return false;
    this.#generations.adopt([...between, next]);
    this.#unread.remember(siblings);
    if (old === undefined) {
      this.#parts.tally.passedOn(between.length);
    } else {
      this.#generations.grew(old);
      this.#parts.tally.rotated(between.length);
    }
    return true;
  }

  /**
   * The live file is to be read from its start: opens the copies that were made of it before, to be read first.
   * If it `shrank`, what had been read stands there no longer; if not, it is new, or was just truncated.
   * Undefined if that cannot be done now, and is to be tried again.
   */
  async recover(live: Inode, shrank: boolean): Promise<Recovered | undefined> {
    // What stood in it before was read, too.
    const others = this.#read.filter((one) => !(one.open && sameInode(one, live)));
    const copies = await this.#unread.openCopies(live, others);
    if (copies === undefined) return undefined;
    const goesOn = await linkCopies(copies, live);
    if (shrank) this.#past.overwrites(live);
    // A copy over an older copy: what its inode held before is gone.
    const stale = this.#generations.all.filter((one) =>
      copies.some((copy) => sameInode(copy, one)),
    );
    for (const one of stale) this.#generations.abandon(one);
    this.#generations.adopt(copies);
    this.#generations.moveLast(live);
    const { tally } = this.#parts;
    if (shrank || copies.length > 0) tally.truncated(copies.length);
    const { offset } = live.reading.lineStart;
    if (live.reading.seen > 0 && !copies.some(({ reading }) => reading.position.offset === offset))
      tally.gap("the log was truncated, and there is no copy of what was not read yet");
    return { copies, goesOn };
  }

  /**
   * The live file's descriptor went bad: opens the file anew, to be read on where it was left; its next turn tells whether it
   * still holds what was read. Says whether it could; if not, its name means another file by now.
   * @throws a system error if it cannot be opened
   */
  reopen(file: Sibling): boolean {
    const bad = this.#generations.live;
    const opened = openFile(file.path);
    if (opened === undefined) return false;
    if (bad === undefined || !sameInode(opened.stats, file)) {
      closeSync(opened.descriptor);
      return false;
    }
    this.#generations.drop(bad);
    this.#generations.adopt([new Inode(opened, bad.reading)]);
    return true;
  }

  /** All that is open, or was open until lately. */
  get #read(): readonly Read[] {
    return [...this.#past.all, ...this.#generations.all.map(withStart)];
  }

  /** Throws if the live file cannot be opened, before anything else is. */
  async #probe(live: Sibling | undefined): Promise<void> {
    if (live !== undefined) (await openAt(live, beginning, this.#parts.begin))?.close();
  }

  /** A file that was closed and bears the name again is not read again from its start. */
  async #cameBack(live: Sibling): Promise<Generation | undefined> {
    for (const { position } of this.#past.files) {
      const again = await openAt(live, position, this.#parts.begin);
      if (again !== undefined) return again;
    }
    return undefined;
  }
}
