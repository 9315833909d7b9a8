/** HOW a map gets onto the disk: under its lock, built aside, judged, and renamed or changed in one transaction. */
import { renameSync } from "node:fs";
import type { Stats } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Client } from "../client.ts";
import { systemClock, type Clock } from "../clock.ts";
import { inspectDirectory } from "../directory.ts";
import { exit, KnownError, PublishError, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { syncDirectory } from "../replace.ts";
import type { Run } from "../run.ts";
import { announceOnce, Announcer } from "./announce.ts";
import { build, removeBuild, removeBuilds, type Built, type Order } from "./build.ts";
import { exitCodeOf, inspectLive } from "./files.ts";
import { Links } from "./links.ts";
import type { AccessMap, Excluded, Index } from "./map.ts";
import { makeLater } from "./mtime.ts";
import { holds, sampleOf } from "./probe.ts";
import { rendered } from "./rendering.ts";
import { Spare } from "./spare.ts";
import { LastMap } from "./standing.ts";
import { endTurns, inTurn } from "./turns.ts";
import { Versions } from "./versions.ts";

interface WriterParts {
  readonly map: AccessMap;
  readonly run: Run;
  readonly log: Log;
  readonly clock?: Clock;
  /** Milliseconds for the map tool. */
  readonly deadline?: number;
}

const toolDeadline = 30_000;
/** Each so many-th publish the table is asked, and always after an error: a process each time would cost as much as a small index. */
const askedEach = 10;
/** In place a tool that hangs may keep the MTA's readers waiting, and a reader that hangs the tool; the next one is built aside. */
const inPlaceDeadline = 10_000;

/** Writes one map. */
export class MapWriter {
  readonly #parts: WriterParts;
  readonly #directory: string;
  readonly #spare: Spare;
  /** How the index is asked where it stands. */
  readonly #live: Index | undefined;
  readonly #last: LastMap;
  readonly #links: Links;
  readonly #announcer: Announcer;
  /** True until a write ends well: what an earlier one left must be removed, and what is written is looked at more closely. */
  #failed = false;
  #first = true;
  #writing = false;
  readonly #versions = new Versions();
  #remarks = "";
  #puts = 0;

  constructor(parts: WriterParts) {
    const { source, index } = parts.map;
    this.#parts = parts;
    this.#directory = dirname(source);
    this.#spare = new Spare(parts.map);
    this.#last = new LastMap(parts.map);
    this.#links = new Links(parts);
    this.#announcer = new Announcer({ clock: systemClock, deadline: toolDeadline, ...parts });
    this.#live = index?.(source);
  }

  /** Why running MTAs may not see what is written here, although it is written; undefined if they do. */
  get fault(): string | undefined {
    return this.#links.fault;
  }

  /** Whether nothing was put there, or begun where it stands, since the last resort. */
  get isEmpty(): boolean {
    return this.#versions.isEmpty;
  }

  /** True if no MTA could be told of the version that stands there: one that is just starting may have read the former. */
  get unheard(): boolean {
    return this.#announcer.unheard;
  }

  /**
   * Makes the map on disk equal to these clients, which are read once, under the map's lock.
   * `unchanged` if this process wrote the same last and nobody touched it since. What an earlier process left is always
   * written anew, and renamed: it may have ended between the two renames, with an index that its source does not tell, or
   * its tool may live on and change the index that it has open.
   * No client gets into the map before the empty map stands ready that is the way out.
   * An MTA that does not look by itself has been told then, unless it is `unheard`.
   * @throws PublishError that names the table; the live map is then the one before, or already the new one, but whole
   */
  async write(clients: Iterable<Client>, excluded?: Excluded): Promise<"written" | "unchanged"> {
    // Before it waits for its turn: the clients may have been taken by then.
    const { began } = this.#versions;
    return this.#inTurn(async () => {
      this.#versions.requireLast(began);
      const { hasSource, index } = await this.#inspectLive();
      this.#links.judge(index);
      const { text, digest } = await rendered(this.#parts.map, clients, excluded);
      if (await this.#last.stands(digest)) {
        if (this.unheard) await this.#announcer.tell();
        this.#versions.requireLast(began);
        return "unchanged";
      }
      const isEmpty = text.slice(1).every((piece) => piece === "");
      if (!isEmpty) await this.#prepare();
      const before = hasSource ? await this.#readSource() : "";
      await this.#put({ text, before, thorough: this.#failed }, index, hasSource, began);
      await this.#announcer.tell();
      const standing = await this.#last.look(digest);
      this.#versions.requireLast(began);
      this.#last.keep(standing);
      if (isEmpty) await this.#prepare().catch(() => {});
      return "written";
    });
  }

  /**
   * The last resort: puts the empty map there that was prepared, by renames alone. Needs no tool, no lock and no space, and
   * overtakes a write that hangs. A directory that others can write to is no hindrance: only a file of ours is moved, and
   * only within it.
   * @throws PublishError that names the table, if there is none, or the directory cannot be written
   */
  async resort(): Promise<void> {
    this.#versions.resort();
    try {
      const { digest } = await rendered(this.#parts.map, []);
      const { latest } = this.#versions;
      if ((await this.#last.stands(digest)) && !this.unheard) {
        if (latest === this.#versions.latest) this.#versions.empty(latest);
        return;
      }
      const { hasSource } = await this.#inspectLive();
      const version = this.#versions.put();
      this.#spare.install(hasSource);
      this.#versions.empty(version);
      // A build that hangs may have given the former index a second name: its readers would not see that it is replaced.
      await removeBuilds(this.#parts.map.source).catch(() => {});
      // In place for all who look; a crash before it is on the disk is followed by another withdrawal.
      await syncDirectory(this.#directory).catch(() => {});
      await this.#announcer.tell();
      const standing = await this.#last.look(digest);
      // A write that began since may have put its map there, and knows it.
      if (version === this.#versions.latest) this.#last.keep(standing);
    } catch (error) {
      throw this.#named(error);
    }
  }

  /**
   * Tries the whole way up to the rename, with an empty map, and leaves the live one alone; the MTA is told of that once more.
   * @throws PublishError: its code is `config` if the tool, the map type or the directory cannot serve, `cannotCreate` if
   * the directory cannot be written, `tempFail` if the tool failed in another way or the disk is full
   */
  async check(): Promise<void> {
    try {
      await inspectDirectory(this.#directory);
      await this.#inspectLive();
      const { text } = await rendered(this.#parts.map, []);
      await removeBuild(await this.#build({ text, before: "" }));
      const { map, run, deadline = toolDeadline } = this.#parts;
      if (map.announcement !== undefined) await announceOnce(map.announcement, { run, deadline });
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** Lets other processes write the map; with `forgotten` it is left empty, and nothing of popgate's own stays beside it but the lock. */
  async close(forgotten = false): Promise<void> {
    if (forgotten) await this.#spare.remove().catch(() => {});
    await endTurns(this.#parts.map.source);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { map, run } = this.#parts;
    try {
      await inspectDirectory(this.#directory);
      return await inTurn(map.source, run, async () => {
        this.#writing = true;
        try {
          if (this.#first || this.#failed) await removeBuilds(map.source);
          this.#first = false;
          const result = await work();
          this.#failed = false;
          return result;
        } catch (error) {
          this.#failed = true;
          throw error;
        } finally {
          this.#writing = false;
        }
      });
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** An index without its source is popgate's own if this process made it, or if popgate keeps its spare beside it. */
  #inspectLive(): ReturnType<typeof inspectLive> {
    const known = (index: Stats) => this.#last.has(index) || this.#spare.stands;
    return inspectLive(this.#parts.map.source, this.#live?.live, known);
  }

  async #readSource(): Promise<string> {
    return this.#live?.ask === undefined ? "" : readFile(this.#parts.map.source, "latin1");
  }

  /** Makes the empty map that the last resort needs, if it does not stand already. */
  async #prepare(): Promise<void> {
    if (this.#spare.stands) return;
    const { text } = await rendered(this.#parts.map, []);
    this.#spare.keep(await this.#build({ text, before: "", thorough: false }));
  }

  async #put(
    order: Order,
    index: Stats | undefined,
    hasSource: boolean,
    began: number,
  ): Promise<void> {
    const inPlace = (await this.#last.mayChange(index)) ? this.#live?.live : undefined;
    if (inPlace !== undefined) this.#versions.put();
    let built: Built;
    try {
      built = await this.#build({ ...order, live: inPlace });
    } catch (error) {
      // What the index holds now is not known any more: the next one is built aside.
      if (inPlace !== undefined && this.#versions.isLast(began)) this.#last.keep(undefined);
      throw error;
    }
    if (!this.#versions.isLast(began)) await removeBuild(built);
    this.#versions.requireLast(began);
    this.#install(built, hasSource);
    if (built.inPlace) await rm(built.index?.makes ?? "", { force: true });
    await syncDirectory(this.#directory);
    this.#versions.requireLast(began);
    await this.#verify(order);
    this.#versions.requireLast(began);
  }

  async #build(order: Omit<Order, "thorough"> & { thorough?: boolean }): Promise<Built> {
    const { map, run, log, deadline = toolDeadline } = this.#parts;
    const longest = order.live === undefined ? deadline : Math.min(deadline, inPlaceDeadline);
    const built = await build({ thorough: false, ...order }, { map, run, deadline: longest });
    const remarks = built.remarks.join("; ").replaceAll(built.aside, map.source);
    if (remarks !== this.#remarks && remarks !== "") {
      log.warning("the map tool says", { table: map.name, says: remarks });
    }
    this.#remarks = remarks;
    return built;
  }

  /**
   * Without a pause: the last resort must not come in between. The index goes first, so that its source is never newer; but
   * it is never there without a source to tell whose it is.
   */
  #install({ aside, index, inPlace }: Built, hasSource: boolean): void {
    const { source } = this.#parts.map;
    this.#versions.put();
    if (!hasSource) renameSync(aside, source);
    if (index !== undefined && !inPlace) {
      makeLater(index.makes, index.live);
      renameSync(index.makes, index.live);
    }
    if (hasSource) renameSync(aside, source);
  }

  /** Asks the table for a few keys now and then, as the MTA does. One that was asked before it got its name is the same file still. */
  async #verify({ text, before, thorough }: Order): Promise<void> {
    const { run, deadline = toolDeadline } = this.#parts;
    if (this.#live === undefined || this.#live.silent === true || thorough) return;
    if (this.#puts++ % askedEach > 0) return;
    if (await holds(this.#live, sampleOf(text, before), run, deadline)) return;
    this.#last.keep(undefined);
    throw new PublishError("the table does not answer what was written", exit.tempFail);
  }

  /** Whether somebody else has put another file there since the last write; `live` is what the MTA reads. */
  isReplaced(live: Stats): boolean {
    return !this.#writing && this.#last.isReplacedBy(live);
  }

  /** Takes the status of the live index at any time, and tells if it is hard-linked; while it is changed in place, it is by us. */
  seeLinks(index: Stats): void {
    if (!this.#writing) this.#links.judge(index);
  }

  #named(error: unknown): KnownError {
    const code = error instanceof KnownError ? error.exitCode : exitCodeOf(error);
    return new PublishError(`map ${this.#parts.map.name}: ${reasonOf(error)}`, code);
  }
}
