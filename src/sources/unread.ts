/** The rotated files beside a log that hold lines nobody has read yet: born, and rotated away, since the last look. */
import { reasonOf } from "../errors.ts";
import type { Generation } from "./generation.ts";
import type { Position } from "./mark.ts";
import { findHolder, openAt, openWhole } from "./resume.ts";
import type { Begin } from "./resume.ts";
import { identityOf, sameInode, siblingsOf } from "./siblings.ts";
import type { Sibling } from "./siblings.ts";

/** A file that has been read, up to a position. */
export interface Read {
  readonly dev: number;
  readonly ino: number;
  /** Once it is closed, its inode may be another file. */
  readonly open: boolean;
  readonly position: Position;
}

interface Parts {
  readonly path: string;
  readonly begin: Begin;
  /** Called with the reason if lines may have been lost. */
  readonly tellGap: (reason: string) => void;
}

/** A rotation that goes on while files are opened is waited for, but not for ever. */
const mostTries = 5;

/** Remembers which rotated files were there at the last look, and finds those that were not. */
export class Unread {
  readonly #parts: Parts;
  #known = new Set<string>();
  #tries = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The rotated files that stand there now, the oldest first, without the one given. */
  list(except: { readonly dev: number; readonly ino: number } | undefined): readonly Sibling[] {
    const siblings = siblingsOf(this.#parts.path);
    return except === undefined ? siblings : siblings.filter((file) => !sameInode(file, except));
  }

  /** From here on these are not new any more. */
  remember(siblings: readonly Sibling[]): void {
    this.#known = new Set(siblings.map(identityOf));
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

  /** Opens the copy that goes on where the live file was left, and the copies that were made after it. */
  async openCopies(live: Read, read: readonly Read[]): Promise<readonly Generation[]> {
    for (;;) {
      const siblings = this.list(live);
      const holder = await findHolder(live.position, live, siblings, this.#parts.begin);
      const rest = holder === undefined ? siblings : siblings.slice(holder.index + 1);
      const younger = await this.openNew(rest, read);
      this.remember(siblings);
      if (younger !== undefined)
        return holder === undefined ? younger : [holder.generation, ...younger];
      holder?.generation.close();
    }
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

  /** A new file may hold what was read elsewhere: the file that it was compressed from is open, or was closed. */
  async #newAmong(files: readonly Sibling[], read: readonly Read[]): Promise<readonly Sibling[]> {
    const fresh: Sibling[] = [];
    for (const file of files) {
      if (this.#known.has(identityOf(file))) continue;
      if (read.some((one) => one.open && sameInode(one, file))) continue;
      if (!(await this.#isCopy(file, read))) fresh.push(file);
    }
    return fresh;
  }

  async #isCopy(file: Sibling, read: readonly Read[]): Promise<boolean> {
    for (const { position } of read) {
      if (position.offset === 0) continue;
      const copy = await openAt(file, position, this.#parts.begin).catch(() => undefined);
      copy?.close();
      if (copy !== undefined) return true;
    }
    return false;
  }
}
