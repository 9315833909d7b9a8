/** All sources of the config: started, exchanged at a reload, and stopped together. */
import type { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Checkpoints, Progress } from "../model.ts";
import type { Spawn } from "../run.ts";
import { FileSource } from "./file.ts";
import { marksOf } from "./mark.ts";
import { JournalSource } from "./journal.ts";
import { PatternSource } from "./pattern.ts";
import { isPattern, nameOf } from "./settings.ts";
import type { SourceSettings } from "./settings.ts";
import type { Source, Wanted } from "./source.ts";
import { StdinSource } from "./stdin.ts";

interface SourcesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly spawn: Spawn;
  /** Gives what to look for in a source's lines, and who takes them. */
  readonly wanted: (settings: SourceSettings) => Wanted;
  /** Without a checkpoint nothing older than this matters: ms since 1970. */
  readonly since: () => number;
  /** Standard input. */
  readonly input: () => Readable;
  /** Called when a source has ended by itself, as standard input does. */
  readonly ended: () => void;
}

/** The sources that run, by their name. */
export class Sources {
  readonly #parts: SourcesParts;
  readonly #running = new Map<
    string,
    { readonly source: Source; readonly settings: SourceSettings }
  >();

  constructor(parts: SourcesParts) {
    this.#parts = parts;
  }

  /**
   * Makes the sources that run those of the config: one whose settings changed goes on where it was, and so do all of them if
   * `anew` says that something else is wanted of their lines. Resolves when all are live.
   * @throws SourceError if a path can never be a log
   */
  async configure(
    all: readonly SourceSettings[],
    checkpoints: Checkpoints = {},
    anew = false,
  ): Promise<void> {
    const known: Record<string, Checkpoints[string]> = { ...checkpoints };
    for (const [name, { source, settings }] of this.#running) {
      if (!anew && all.some((wanted) => isDeepStrictEqual(wanted, settings))) continue;
      this.#running.delete(name);
      await source.stop();
      Object.assign(known, source.checkpoints());
    }
    const fresh = all
      .filter((settings) => !this.#running.has(nameOf(settings)))
      .map((settings) => ({ settings, source: this.#create(settings, known) }));
    for (const { settings, source } of fresh) {
      this.#running.set(nameOf(settings), { source, settings });
    }
    await Promise.all(fresh.map(({ source }) => source.start()));
  }

  /** Reads what is there, then ends. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ source }) => source.stop()));
  }

  /** How far each log was delivered. */
  checkpoints(): Checkpoints {
    const all = [...this.#running.values()].map(({ source }) => source.checkpoints());
    return Object.assign({}, ...all) as Checkpoints;
  }

  /** The same for people, and what it came to. */
  progress(): readonly Progress[] {
    return [...this.#running.values()].flatMap(({ source }) => source.progress());
  }

  /** Monotonic ms: when the one that has been silent for longest last showed that it works. */
  beat(): number {
    return Math.min(...[...this.#running.values()].map(({ source }) => source.beat()));
  }

  #create(settings: SourceSettings, checkpoints: Checkpoints): Source {
    const { clock, log, spawn, wanted, since, input, ended } = this.#parts;
    const parts = { clock, log, ...wanted(settings), since: since() };
    switch (settings.type) {
      case "file": {
        const { path } = settings;
        if (isPattern(path)) return new PatternSource({ ...parts, pattern: path, checkpoints });
        return new FileSource({ ...parts, path, checkpoint: marksOf(checkpoints[path]) });
      }
      case "journal":
        return new JournalSource({
          ...parts,
          settings,
          spawn,
          checkpoint: checkpoints[nameOf(settings)],
        });
      case "stdin":
        return new StdinSource({ ...parts, input: input(), ended });
    }
  }
}
