/** What this process last put on the disk, and whether that stands there still. */
import type { Stats } from "node:fs";
import { mode } from "./build.ts";
import { identityOf, inodeOf, none, statusOf } from "./files.ts";
import type { AccessMap, Index } from "./map.ts";

/** A map that was put there, and how to see that it is still the same. */
interface Standing {
  /** Of the source's text. */
  readonly digest: string;
  readonly source: string;
  readonly index: string;
  /** Of what the MTA reads: an index keeps this while it is changed where it stands. */
  readonly inode: string;
}

/** The last map of one writer. */
export class LastMap {
  readonly #map: AccessMap;
  readonly #live: Index | undefined;
  #last: Standing | undefined;

  constructor(map: AccessMap) {
    this.#map = map;
    this.#live = map.index?.(map.source);
  }

  /** Looks at what stands there now, under this digest. */
  async look(digest: string): Promise<Standing> {
    const source = await statusOf(this.#map.source);
    const index = this.#live === undefined ? undefined : await statusOf(this.#live.live);
    const identities = { source: identityOf(source), index: identityOf(index) };
    return { digest, ...identities, inode: inodeOf(this.#live === undefined ? source : index) };
  }

  /** Takes what was put there; undefined if that is not known any more. */
  keep(last: Standing | undefined): void {
    this.#last = last;
  }

  /** Whether a map with this digest was put there, and nobody touched it since. */
  async stands(digest: string): Promise<boolean> {
    const before = this.#last;
    if (before?.digest !== digest) return false;
    const now = await this.look(digest);
    // Nothing is no file of ours, even if it was gone as soon as it was written.
    if (now.source === none || (this.#live !== undefined && now.index === none)) return false;
    return now.source === before.source && now.index === before.index;
  }

  /** Whether this index was put there, and nobody touched it since. */
  has(index: Stats): boolean {
    return identityOf(index) === this.#last?.index;
  }

  /** Whether another file than the one that was put there stands in the place of what the MTA reads. */
  isReplacedBy(live: Stats): boolean {
    return this.#last !== undefined && inodeOf(live) !== this.#last.inode;
  }

  /**
   * Whether this index may be changed where it stands: only one that this process put there, that is still as open as it was, and
   * whose source still tells what is in it: by that it is seen whether the tool did anything.
   */
  async mayChange(index: Stats | undefined): Promise<boolean> {
    if (this.#live?.inPlace !== true || index === undefined) return false;
    const isOurs = index.uid === process.geteuid?.() && (index.mode & 0o7777) === mode;
    if (!isOurs || inodeOf(index) !== this.#last?.inode) return false;
    return identityOf(await statusOf(this.#map.source)) === this.#last.source;
  }
}
