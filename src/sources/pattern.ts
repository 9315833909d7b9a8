/** All logs whose path fits a pattern: those that are there, and those that come. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import { codeOf, reasonOf, SourceError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint, Checkpoints, Progress } from "../model.ts";
import { FileSource } from "./file.ts";
import { marksOf } from "./mark.ts";
import { Health } from "./health.ts";
import { lookAt } from "./named.ts";
import { stemOf } from "./rotation.ts";
import { takesIn } from "./settings.ts";
import type { Source, Wanted } from "./source.ts";

interface Parts extends Wanted {
  /** An absolute path with a `*` in its last part. */
  readonly pattern: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly since: number;
  readonly checkpoints: Checkpoints;
}

/** How often the directory is looked at. Milliseconds, like all below. */
const pause = 250;
/** A log that has been missing for so long is given up; should its name come back, it is a new log. */
const patience = 60_000;

/** What compressors and editors leave is no log, whatever the pattern takes in. */
const noLog = /\.(?:gz|bz2|xz|zst|lz4|Z|bak|old|swp|swx|tmp)$|~$/;

/** A log, and since when it has been missing: monotonic ms. */
interface Followed {
  readonly source: FileSource;
  missing: number | undefined;
}

/** One follower for each log. */
export class PatternSource implements Source {
  readonly #parts: Parts;
  readonly #health: Health;
  readonly #files = new Map<string, Followed>();
  /** Monotonic ms: when the directory was last looked at; not yet, if Infinity. */
  #looked = Infinity;
  #cancel = () => {};
  #stopped = false;
  #ending: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { pattern, clock, log } = parts;
    this.#parts = parts;
    this.#health = new Health(pattern, clock, log);
  }

  async start(): Promise<void> {
    // A log that is rotated at this moment, or was while nobody read, still has its checkpoint.
    const { checkpoints, pattern } = this.#parts;
    const known = Object.keys(checkpoints).filter((path) => isLog(pattern, path));
    const paths = new Set([...(this.#paths() ?? []), ...known]);
    await Promise.all([...paths].map((path) => this.#join(path, checkpoints[path])));
    this.#nap();
  }

  stop(): Promise<void> {
    return (this.#ending ??= this.#stop());
  }

  checkpoints(): Checkpoints {
    const all = [...this.#files.values()].map(({ source }) => source.checkpoints());
    return Object.assign({}, ...all) as Checkpoints;
  }

  progress(): readonly Progress[] {
    return [...this.#files.values()].flatMap(({ source }) => source.progress());
  }

  beat(): number {
    return Math.min(this.#looked, ...[...this.#files.values()].map(({ source }) => source.beat()));
  }

  async #stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await Promise.all([...this.#files.values()].map(({ source }) => source.stop()));
  }

  #nap(): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(pause, () => {
      this.#look();
      this.#nap();
    });
  }

  #look(): void {
    this.#looked = this.#parts.clock.monotonic();
    const paths = this.#paths();
    if (paths === undefined) return;
    for (const path of paths) if (!this.#files.has(path)) this.#joinLate(path);
    const now = this.#parts.clock.monotonic();
    for (const [path, file] of this.#files) {
      if (file.missing === Infinity) continue;
      if (paths.includes(path)) file.missing = undefined;
      else if (now - (file.missing ??= now) > patience) void this.#giveUp(path, file);
    }
  }

  #joinLate(path: string, checkpoint?: Checkpoint): void {
    this.#join(path, checkpoint).catch((thrown: unknown) =>
      this.#health.failed("log cannot be followed", reasonOf(thrown)),
    );
  }

  async #giveUp(path: string, file: Followed): Promise<void> {
    // Not again while it stops.
    file.missing = Infinity;
    await file.source.stop();
    this.#files.delete(path);
    this.#parts.log.info("log gone", { source: path });
    // It came back while its follower looked for the last time, and may have been read.
    if (!this.#stopped && lookAt(path).file !== undefined)
      this.#joinLate(path, file.source.checkpoint());
  }

  async #join(path: string, checkpoint?: Checkpoint): Promise<void> {
    const { pattern: _, checkpoints: __, ...parts } = this.#parts;
    const source = new FileSource({ ...parts, path, checkpoint: marksOf(checkpoint) });
    this.#files.set(path, { source, missing: undefined });
    await source.start();
  }

  /** The logs that are there now; undefined if that cannot be seen. */
  #paths(): readonly string[] | undefined {
    try {
      const paths = logsLike(this.#parts.pattern);
      this.#health.follows();
      return paths;
    } catch (thrown) {
      const trouble = codeOf(thrown) === "ENOENT" ? "log missing" : "log unreadable";
      this.#health.ails(trouble, reasonOf(thrown));
      return undefined;
    }
  }
}

/**
 * The paths of the logs that a pattern takes in now.
 * @throws a system error if their directory cannot be read, SourceError if anybody can create a log there
 */
export function logsLike(pattern: string): readonly string[] {
  const directory = dirname(pattern);
  // eslint-disable-next-line no-bitwise
  if ((statSync(directory).mode & 0o002) !== 0) {
    throw new SourceError(`anybody can create a log in ${directory}, and so forge logins`);
  }
  const paths: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!isLog(pattern, path)) continue;
    // What a link leads to, the directory does not tell.
    const isFile = entry.isSymbolicLink() ? lookAt(path).file !== undefined : entry.isFile();
    if (isFile) paths.push(path);
  }
  return paths;
}

/** A rotated form of a log that the pattern takes in is read as a part of that one. */
function isLog(pattern: string, path: string): boolean {
  if (!takesIn(pattern, path) || noLog.test(path)) return false;
  const stem = stemOf(path);
  return stem === undefined || !takesIn(pattern, stem);
}
