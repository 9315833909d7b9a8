/** All sources of the config: started, exchanged at a reload, and stopped together. */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Checkpoint } from "../model.ts";
import { FileSource } from "./file.ts";
import type { Deliver, Source } from "./source.ts";

interface SourcesParts<S> {
  readonly clock: Clock;
  readonly log: Log;
  /** Gives what to look for in a source's lines, and who takes them. */
  readonly deliverer: (settings: S) => {
    readonly markers: readonly Buffer[];
    readonly deliver: Deliver;
  };
  /** Without a checkpoint nothing older than this matters: ms since 1970. */
  readonly since: () => number;
}

type Checkpoints = Readonly<Record<string, Checkpoint>>;

/** The sources that run, by their path. */
export class Sources<S extends { readonly path: string }> {
  readonly #parts: SourcesParts<S>;
  readonly #running = new Map<string, { readonly source: Source; readonly settings: S }>();

  constructor(parts: SourcesParts<S>) {
    this.#parts = parts;
  }

  /**
   * Makes the sources that run those of the config: one whose settings changed goes on where it was. Resolves when all are live.
   * @throws SourceError if a path can never be a log
   */
  async configure(all: readonly S[], checkpoints: Checkpoints = {}): Promise<void> {
    const known: Record<string, Checkpoint> = { ...checkpoints };
    for (const [path, { source, settings }] of this.#running) {
      if (all.some((wanted) => isDeepStrictEqual(wanted, settings))) continue;
      this.#running.delete(path);
      await source.stop();
      known[path] = source.checkpoint();
    }
    const fresh = all
      .filter(({ path }) => !this.#running.has(path))
      .map((settings) => ({ settings, source: this.#create(settings, known[settings.path]) }));
    for (const { settings, source } of fresh) {
      this.#running.set(settings.path, { source, settings });
    }
    await Promise.all(fresh.map(({ source }) => source.start()));
  }

  /** Reads what is there, then ends. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ source }) => source.stop()));
  }

  /** How far each source has delivered. */
  checkpoints(): Checkpoints {
    return Object.fromEntries(
      [...this.#running].map(([path, { source }]) => [path, source.checkpoint()]),
    );
  }

  #create(settings: S, checkpoint: Checkpoint | undefined): Source {
    const { clock, log, deliverer, since } = this.#parts;
    return new FileSource({
      path: settings.path,
      ...deliverer(settings),
      clock,
      log,
      since: since(),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
  }
}
