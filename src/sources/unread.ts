/** The rotated files beside a log that hold lines nobody has read yet: born, and rotated away, since the last look. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Generation } from "./generation.ts";
import type { Inode } from "./inode.ts";
import { beginAlike, headLength } from "./mark.ts";
import type { Position } from "./mark.ts";
import { readOf } from "./past.ts";
import type { Read } from "./past.ts";
import { lookAt } from "./named.ts";
import {
  closeAll,
  findHolder,
  isShortage,
  openAt,
  openWhole,
  startOf,
  unlessShort,
} from "./resume.ts";
import type { Begin } from "./resume.ts";
import { identityOf, isSameList, sameInode, siblingsOf } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

interface Parts {
  readonly path: string;
  readonly clock: Clock;
  readonly begin: Begin;
  /** Called with the reason if lines may have been lost. */
  readonly tellGap: (reason: string) => void;
}

/** A rotation that goes on while files are opened is waited for, but not for ever. */
const mostTries = 5;

const nothing = Buffer.alloc(0);

/** How far the clock of the file system may be off. Milliseconds. */
const slack = 60_000;

/** Remembers which rotated files were there at the last look, and finds those that were not. */
export class Unread {
  readonly #parts: Parts;
  #known = new Set<string>();
  /** The last look: wall clock and monotonic, ms. A file that changed last before it has no line that was not read. */
  #looked = { now: -Infinity, monotonic: 0 };
  #tries = 0;
  /** What was told of a directory that cannot be listed. */
  #unlisted: string | undefined;
  /** What was listed last. */
  #listed: readonly Sibling[] = [];
  /** How the live file began then. */
  #start: Buffer = nothing;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The rotated files that stand there now, the oldest first, without the live file and without copies of it: what stands in
   * it is read there. A copy stays new: the live file may be truncated before it is read.
   * @throws a system error if the host is short of descriptors or memory
   */
  async list(live: Sibling | undefined): Promise<readonly Sibling[]> {
    const siblings = this.#listAll();
    if (live === undefined) return siblings;
    const others = siblings.filter((file) => !sameInode(file, live));
    this.#start = (await startOf(live, this.#parts.begin)) ?? nothing;
    const fresh = others.filter((file) => !this.#isKnown(file));
    const copies = await this.#likeAmong(fresh, this.#start, "a line");
    return others.filter((file) => !copies.includes(file));
  }

  /**
   * A rotation has gone on since they were listed: what was not found may stand there under another name.
   * @throws a system error if the host is short of descriptors or memory
   */
  get moved(): boolean {
    return !isSameList(this.#listed, this.#list());
  }

  /**
   * The live file was truncated since the others were listed: what counted as a copy of it may be what is looked for.
   * @throws as `openAt` does
   */
  async isTruncated(live: Sibling | undefined): Promise<boolean> {
    if (live === undefined) return false;
    const start = (await startOf(live, this.#parts.begin)) ?? nothing;
    return !start.subarray(0, this.#start.length).equals(this.#start);
  }

  #listAll(): readonly Sibling[] {
    this.#listed = this.#list();
    return this.#listed;
  }

  #list(): readonly Sibling[] {
    try {
      const siblings = siblingsOf(this.#parts.path);
      this.#unlisted = undefined;
      return siblings;
    } catch (thrown) {
      if (isShortage(thrown)) throw thrown;
      const reason = `rotated files cannot be listed: ${reasonOf(thrown)}`;
      if (this.#unlisted !== reason) this.#parts.tellGap(reason);
      this.#unlisted = reason;
      return [];
    }
  }

  /** From here on these are not new any more. */
  remember(siblings: readonly Sibling[]): void {
    // What could not be listed was not looked at.
    if (this.#unlisted !== undefined && this.#looked.now !== -Infinity) return;
    this.#known = new Set(siblings.map(identityOf));
    const { clock } = this.#parts;
    this.#looked = { now: clock.now(), monotonic: clock.monotonic() };
  }

  /** Wall clock, ms. If the clock was set back since the last look, it counts as it would have read then. */
  get #since(): number {
    const { now, monotonic } = this.#looked;
    const { clock } = this.#parts;
    return Math.min(now, clock.now() - (clock.monotonic() - monotonic)) - slack;
  }

  /**
   * Opens the new ones among rotated files; undefined if a rotation goes on and they are to be listed again.
   * `read` is all that is open or was just closed.
   */
  async openNew(
    siblings: readonly Sibling[],
    read: readonly Read[],
  ): Promise<readonly Generation[] | undefined> {
    return await this.openWhole(await this.#newAmong(siblings, read));
  }

  /**
   * Opens the copy that goes on where the live file was left, and the copies that were made after it; undefined if a rotation
   * goes on, or nobody may look for copies now.
   * @throws a system error if the host is short of descriptors or memory
   */
  async openCopies(live: Inode, read: readonly Read[]): Promise<readonly Generation[] | undefined> {
    const { path, begin } = this.#parts;
    const named = lookAt(path);
    if (named.file === undefined && named.trouble === "log unreadable") return undefined;
    const siblings = this.#listAll();
    const older = await this.#olderThan(live, named.file, siblings);
    const opened: Generation[] = [];
    let complete = false;
    try {
      const holder = await findHolder(live.reading.lineStart, live, older ?? siblings, begin);
      if (holder !== undefined) opened.push(holder.generation);
      // A file that was written last before the live one was born is no copy of it, whenever it was compressed.
      const copies = (older?.slice((holder?.index ?? -1) + 1) ?? []).filter(
        ({ modified }) => modified >= live.born,
      );
      // A copy may also be older, and end before what was read last.
      const before = readOf(live);
      const closed = { ...before, open: false, start: before.position.head };
      const fresh = await this.#newAmong(copies, [...read, closed]);
      // What stands in the live file is read there. Its copy stays new, as in `list`.
      const present = await this.#likeAmong(fresh, live.start(), "a byte");
      const younger = await this.openWhole(fresh.filter((file) => !present.includes(file)));
      opened.push(...(younger ?? []));
      if (younger === undefined || this.moved) return undefined;
      const dealtWith = older?.filter((file) => !present.includes(file)) ?? [];
      this.remember(siblings.filter((file) => this.#isKnown(file) || dealtWith.includes(file)));
      complete = true;
      return opened;
    } finally {
      if (!complete) closeAll(opened);
    }
  }

  /**
   * What is younger than the live file is no copy of it, once it was rotated, and perhaps compressed. Undefined if it has
   * lost its name: that leaves open which of them are copies of it, and which of the next file.
   */
  async #olderThan(
    live: Inode,
    named: Sibling | undefined,
    siblings: readonly Sibling[],
  ): Promise<readonly Sibling[] | undefined> {
    let own = siblings.find((file) => sameInode(file, live));
    if (own === undefined) {
      if (named !== undefined && sameInode(named, live)) return siblings;
      [own] = await this.#likeAmong(siblings, live.start(), "a byte");
    }
    return own === undefined ? undefined : siblings.slice(0, siblings.indexOf(own));
  }

  /** Opens files to read them whole; undefined if a rotation seems to go on and they are to be listed again. */
  async openWhole(files: readonly Sibling[]): Promise<readonly Generation[] | undefined> {
    const { begin, tellGap } = this.#parts;
    const unreadable: string[] = [];
    const different = await this.#withoutOldCopies(files);
    const generations = await openWhole(different, begin, ({ path }, thrown) => {
      unreadable.push(`${path}: ${reasonOf(thrown)}`);
    });
    const all = generations !== undefined && unreadable.length === 0;
    this.#tries = all ? 0 : this.#tries + 1;
    if (all) return generations;
    // What is being made may be readable for nobody at first.
    if (this.#tries < mostTries) {
      closeAll(generations ?? []);
      return undefined;
    }
    for (const reason of unreadable) tellGap(reason);
    if (generations === undefined) tellGap("a rotated file is not to be had");
    return generations ?? [];
  }

  #isKnown(file: Sibling): boolean {
    return this.#known.has(identityOf(file));
  }

  /** A new file may hold what was read elsewhere: the file that it was copied from is open, or was closed. */
  async #newAmong(files: readonly Sibling[], read: readonly Read[]): Promise<readonly Sibling[]> {
    const since = this.#since;
    let fresh = files.filter(
      (file) =>
        file.modified >= since &&
        !this.#isKnown(file) &&
        !read.some((one) => one.open && sameInode(one, file)),
    );
    for (const { position, start = nothing } of read) {
      const alike = await this.#likeAmong(fresh, start, "a line");
      fresh = fresh.filter((file) => !alike.includes(file));
      const copies = await this.#copiesAmong(fresh, position);
      fresh = fresh.filter((file) => !copies.includes(file));
    }
    return fresh;
  }

  /** Those that hold what stands before the position. */
  async #copiesAmong(files: readonly Sibling[], position: Position): Promise<readonly Sibling[]> {
    const copies: Sibling[] = [];
    for (const file of position.offset === 0 ? [] : files) {
      const copy = await openAt(file, position, this.#parts.begin).catch(unlessShort);
      copy?.close();
      if (copy !== undefined) copies.push(file);
    }
    return copies;
  }

  /** Of a file and its copies the youngest, which holds what stands in the others. */
  async #withoutOldCopies(files: readonly Sibling[]): Promise<readonly Sibling[]> {
    const starts: Buffer[] = [];
    for (const file of files)
      starts.push((await startOf(file, this.#parts.begin).catch(unlessShort)) ?? nothing);
    return files.filter(
      (_, age) =>
        !starts.slice(age + 1).some((start) => beginAlike(start, starts[age] ?? nothing, "a line")),
    );
  }

  /** Those that begin with these bytes; see `beginAlike`. */
  async #likeAmong(
    files: readonly Sibling[],
    start: Buffer,
    least: "a byte" | "a line",
  ): Promise<readonly Sibling[]> {
    const alike: Sibling[] = [];
    for (const file of start.length === 0 ? [] : files) {
      const other = await startOf(file, this.#parts.begin).catch(unlessShort);
      if (other === undefined) continue;
      // What is compressed grows no more: if all of it is there, no line in it is new.
      const all = file.packed && other.length < headLength && other.length <= start.length;
      if (beginAlike(start, other, all ? "a byte" : least)) alike.push(file);
    }
    return alike;
  }
}
