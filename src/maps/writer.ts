/** HOW a map gets onto the disk: under its lock, built aside, judged, renamed. */
import { createHash } from "node:crypto";
import { rename } from "node:fs/promises";
import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Client } from "../client.ts";
import { systemClock, type Clock } from "../clock.ts";
import { inspectDirectory } from "../directory.ts";
import { exit, KnownError, PublishError, reasonOf } from "../errors.ts";
import { acquireLock, lockHolder, type Lock } from "../lock.ts";
import type { Log } from "../log.ts";
import { syncDirectory } from "../replace.ts";
import type { Run } from "../run.ts";
import { announce, announceOnce } from "./announce.ts";
import { build, removeBuilds, type Built } from "./build.ts";
import { exitCodeOf, inspectLive, statusOf } from "./files.ts";
import type { AccessMap } from "./map.ts";
import { makeLater } from "./mtime.ts";

interface WriterParts {
  readonly map: AccessMap;
  readonly run: Run;
  readonly log: Log;
  readonly clock?: Clock;
  /** Milliseconds for the map tool. */
  readonly deadline?: number;
}

/** What this process last put there, and how to see that it is still the same. */
interface Published {
  readonly digest: string;
  readonly source: string;
  readonly index: string;
}

const toolDeadline = 30_000;
/** Seconds for another popgate to finish its write. */
const lockWait = 10;

/** Writes one map. */
export class MapWriter {
  readonly #parts: WriterParts;
  readonly #directory: string;
  readonly #lock: string;
  readonly #liveIndex: string | undefined;
  #published: Published | undefined;
  #fault: string | undefined;
  #remarks = "";
  #unheard: string | undefined;

  constructor(parts: WriterParts) {
    const { source, index } = parts.map;
    this.#parts = parts;
    this.#directory = dirname(source);
    this.#lock = join(this.#directory, `.${basename(source)}.popgate-lock`);
    this.#liveIndex = index?.(source).live;
  }

  /** Why running MTAs may not see what is written here, although it is written; undefined if they do. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** True if no MTA could be told of the version that stands there: one that is just starting may have read the former. */
  get unheard(): boolean {
    return this.#unheard !== undefined;
  }

  /**
   * Makes the map on disk equal to these clients, which are read once, under the map's lock.
   * `unchanged` if this process wrote the same last and nobody touched it since. What an earlier process left is always
   * written anew: it may have ended between the two renames, with an index that its source does not tell.
   * An MTA that does not look by itself has been told then, unless it is `unheard`.
   * @throws PublishError that names the table; the live map is then the one before, or already the new one, but whole
   */
  async write(clients: Iterable<Client>): Promise<"written" | "unchanged"> {
    return this.#underLock(async () => {
      const { hasSource, index } = await this.#inspectLive();
      this.#judgeLinks(index);
      const text = await this.#rendered(clients);
      const digest = digestOf(text);
      const stands = await this.#stands(digest);
      if (!stands) await this.#replace(await this.#build(text), hasSource);
      if (!stands || this.unheard) await this.#announce();
      this.#published = await this.#seen(digest);
      return stands ? "unchanged" : "written";
    });
  }

  /**
   * Tries the whole way up to the rename, with an empty map, and leaves the live one alone; the MTA is told of that once more.
   * @throws PublishError: its code is `config` if the tool, the map type or the directory cannot serve, `cannotCreate` if
   * the directory cannot be written, `tempFail` if the tool failed in another way or the disk is full
   */
  async check(): Promise<void> {
    await this.#underLock(async () => {
      await this.#inspectLive();
      await this.#build(await this.#rendered([]));
      await removeBuilds(this.#parts.map.source);
      const { map, run, deadline = toolDeadline } = this.#parts;
      if (map.announcement !== undefined) await announceOnce(map.announcement, { run, deadline });
    });
  }

  async #underLock<T>(work: () => Promise<T>): Promise<T> {
    const { map } = this.#parts;
    let lock: Lock | undefined;
    try {
      await inspectDirectory(this.#directory);
      lock = await this.#acquire();
      await removeBuilds(map.source);
      return await work();
    } catch (error) {
      if (lock !== undefined) await removeBuilds(map.source).catch(() => {});
      throw this.#named(error);
    } finally {
      lock?.release();
    }
  }

  async #acquire(): Promise<Lock> {
    const lock = await acquireLock(this.#lock, this.#parts.run, lockWait);
    if (lock === undefined) {
      const holder = lockHolder(this.#lock);
      const who = holder === undefined ? "" : ` (pid ${String(holder)})`;
      throw new PublishError(`another popgate${who} is writing it`, exit.tempFail);
    }
    return lock;
  }

  #inspectLive(): ReturnType<typeof inspectLive> {
    const known = (index: Stats): boolean => identityOf(index) === this.#published?.index;
    return inspectLive(this.#parts.map.source, this.#liveIndex, known);
  }

  /** Other things have their turn between the pieces: a large map must not hold up the logins. */
  async #rendered(clients: Iterable<Client>): Promise<readonly string[]> {
    const text: string[] = [];
    for (const piece of this.#parts.map.render(clients)) {
      if (text.push(piece) > 1) await setImmediate();
    }
    return text;
  }

  async #build(text: readonly string[]): Promise<Built> {
    const { map, run, log, deadline = toolDeadline } = this.#parts;
    const built = await build(text, { map, run, deadline });
    const remarks = built.remarks.join("; ").replaceAll(built.aside, map.source);
    if (remarks !== this.#remarks && remarks !== "") {
      log.warning("the map tool says", { table: map.name, says: remarks });
    }
    this.#remarks = remarks;
    return built;
  }

  /** The index goes first, so that its source is never newer; but it is never there without a source to tell whose it is. */
  async #replace({ aside, index }: Built, hasSource: boolean): Promise<void> {
    const { source } = this.#parts.map;
    if (!hasSource) await rename(aside, source);
    if (index !== undefined) {
      await makeLater(index.makes, index.live);
      await rename(index.makes, index.live);
    }
    if (hasSource) await rename(aside, source);
    await syncDirectory(this.#directory);
  }

  /** Until the MTA has heard of it, nothing counts as published. */
  async #announce(): Promise<void> {
    const { map, run, log, clock = systemClock, deadline = toolDeadline } = this.#parts;
    if (map.announcement === undefined) return;
    const nobody = await announce(map.announcement, { run, clock, deadline });
    if (nobody !== undefined && this.#unheard === undefined) {
      log.warning("nobody reads the table now", { table: map.name, reason: nobody });
    }
    if (nobody === undefined && this.#unheard !== undefined) {
      log.info("the table is read", { table: map.name });
    }
    this.#unheard = nobody;
  }

  /** smtpd knows a replaced table by its link count of zero: a hard link keeps it at the old one (dict_changed_name in src/util/dict.c). */
  #judgeLinks(index: Stats | undefined): void {
    const { map, log } = this.#parts;
    const fault =
      index !== undefined && index.nlink > 1
        ? `${this.#liveIndex ?? ""} is hard-linked (${String(index.nlink)} links): running smtpd processes cannot see changes; remove the other links and reload the MTA`
        : undefined;
    if (fault !== this.#fault) {
      if (fault === undefined) log.info("no hard link any more", { table: map.name });
      else log.error("changes are not seen", { table: map.name, reason: fault });
    }
    this.#fault = fault;
  }

  async #stands(digest: string): Promise<boolean> {
    const before = this.#published;
    if (before === undefined || before.digest !== digest) return false;
    const now = await this.#seen(digest);
    // Nothing is no file of ours, even if it was gone as soon as it was written.
    if (now.source === none || (this.#liveIndex !== undefined && now.index === none)) return false;
    return now.source === before.source && now.index === before.index;
  }

  async #seen(digest: string): Promise<Published> {
    const source = await statusOf(this.#parts.map.source);
    const index = this.#liveIndex === undefined ? undefined : await statusOf(this.#liveIndex);
    return { digest, source: identityOf(source), index: identityOf(index) };
  }

  #named(error: unknown): KnownError {
    const code = error instanceof KnownError ? error.exitCode : exitCodeOf(error);
    return new PublishError(`map ${this.#parts.map.name}: ${reasonOf(error)}`, code);
  }
}

/** Hashing also turns each piece into one flat string, which the write would do for all of them at once. */
function digestOf(text: readonly string[]): string {
  const hash = createHash("sha256");
  for (const piece of text) hash.update(piece);
  return hash.digest("base64");
}

/** The identity of a file that is not there. */
const none = "none";

/** Changes whenever somebody writes to a file, replaces it, or changes its owner, mode or links. */
function identityOf(status: Stats | undefined): string {
  if (status === undefined) return none;
  const { dev, ino, size, ctimeMs } = status;
  return [dev, ino, size, ctimeMs].join(" ");
}
