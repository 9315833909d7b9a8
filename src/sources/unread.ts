/** The rotated files beside a log that hold lines nobody has read yet: born, and rotated away, since the last look. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Generation } from "./generation.ts";
import type { Inode } from "./inode.ts";
import type { Position } from "./mark.ts";
import { lookAt } from "./named.ts";
import { findHolder, isShortage, openAt, openWhole, unlessShort } from "./resume.ts";
import type { Begin } from "./resume.ts";
import { identityOf, sameInode, siblingsOf } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

/** A file that is read, or was read, with a position by which a copy of it is known. */
export interface Read {
  readonly dev: number;
  readonly ino: number;
  /** Once it is closed, its inode may be another file. */
  readonly open: boolean;
  readonly position: Position;
}

interface Parts {
  readonly path: string;
  readonly clock: Clock;
  readonly begin: Begin;
  /** Called with the reason if lines may have been lost. */
  readonly tellGap: (reason: string) => void;
}

/** A rotation that goes on while files are opened is waited for, but not for ever. */
const mostTries = 5;

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

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The rotated files that stand there now, the oldest first, without the one given.
   * @throws a system error if the host is short of descriptors or memory
   */
  list(except: { readonly dev: number; readonly ino: number } | undefined): readonly Sibling[] {
    const siblings = this.#list();
    return except === undefined ? siblings : siblings.filter((file) => !sameInode(file, except));
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
   * Opens the copy that goes on where the live file was left, and the copies that were made after it.
   * @throws a system error if the host is short of descriptors or memory
   */
  async openCopies(live: Inode, read: readonly Read[]): Promise<readonly Generation[]> {
    const { begin } = this.#parts;
    for (;;) {
      const siblings = this.list(undefined);
      const older = await this.#olderThan(live, siblings);
      const holder = await findHolder(live.reading.lineStart, live, older, begin);
      let younger: readonly Generation[] | undefined;
      try {
        const fresh = await this.#newAmong(older.slice((holder?.index ?? -1) + 1), read);
        // What stands in the live file is read there. Its copy stays new: the live file may be truncated before it is read.
        const present = await this.#copiesAmong(fresh, live.start);
        younger = await this.openWhole(fresh.filter((file) => !present.includes(file)));
        if (younger !== undefined) {
          const dealtWith = older.filter((file) => !present.includes(file));
          this.remember(siblings.filter((file) => this.#isKnown(file) || dealtWith.includes(file)));
          return holder === undefined ? younger : [holder.generation, ...younger];
        }
      } finally {
        if (younger === undefined) holder?.generation.close();
      }
    }
  }

  /** The live file may have been rotated already, and compressed: what is younger than it is no copy of it. */
  async #olderThan(live: Inode, siblings: readonly Sibling[]): Promise<readonly Sibling[]> {
    let own = siblings.find((file) => sameInode(file, live));
    const { file } = lookAt(this.#parts.path);
    if (own === undefined && (file === undefined || !sameInode(file, live)))
      own = (await this.#copiesAmong(siblings, live.start))[0];
    return own === undefined ? siblings : siblings.slice(0, siblings.indexOf(own));
  }

  /** Opens files to read them whole; undefined if a rotation goes on and they are to be listed again. */
  async openWhole(files: readonly Sibling[]): Promise<readonly Generation[] | undefined> {
    const { begin, tellGap } = this.#parts;
    const generations = await openWhole(files, begin, ({ path }, thrown) => {
      tellGap(`${path}: ${reasonOf(thrown)}`);
    });
    this.#tries = generations === undefined ? this.#tries + 1 : 0;
    if (generations !== undefined || this.#tries < mostTries) return generations;
    tellGap("a rotated file is not to be had");
    return [];
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
    for (const { position } of read) {
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
}
