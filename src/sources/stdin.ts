/** Standard input: what another program writes into a pipe, such as `docker logs -f`. */
import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoints, Progress } from "../model.ts";
import { Health } from "./health.ts";
import { LineSplitter, LineStream } from "./lines.ts";
import type { Deliver, Source, Wants } from "./source.ts";
import { Tally } from "./tally.ts";

interface Parts {
  readonly input: Readable;
  readonly wants: Wants;
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: Deliver;
  /** Called once when the input has ended. */
  readonly ended: () => void;
}

const name = "stdin";

/** Reads a stream until it ends. There is no going back in a pipe, so it has no checkpoint. */
export class StdinSource implements Source {
  readonly #parts: Parts;
  readonly #health: Health;
  readonly #tally: Tally;
  readonly #splitter: LineSplitter;
  readonly #lines: LineStream;
  #ended = false;

  constructor(parts: Parts) {
    const { wants, deliver, clock, log } = parts;
    this.#parts = parts;
    this.#health = new Health(name, clock, log);
    this.#tally = new Tally(name, clock, log);
    this.#splitter = new LineSplitter(wants);
    this.#lines = new LineStream(this.#splitter, (bytes, offset, number) => {
      try {
        // It may have been written long ago: `docker logs` begins at the container's start.
        deliver({ source: name, bytes, offset, number, live: false });
      } catch (thrown) {
        this.#health.failed("a line could not be dealt with", reasonOf(thrown));
      }
    });
  }

  start(): Promise<void> {
    const { input, log } = this.#parts;
    input.on("data", this.#take).on("end", this.#end).on("error", this.#fail);
    // It ended before it was listened to, in a source that a reload has replaced.
    if (input.readableEnded || input.destroyed) this.#end();
    else input.resume();
    log.info("following", { source: name });
    return Promise.resolve();
  }

  /** Leaves the unfinished line in the stream, for the source that a reload puts in the place of this one. */
  stop(): Promise<void> {
    const { input } = this.#parts;
    input.pause();
    input.off("data", this.#take).off("end", this.#end).off("error", this.#fail);
    const rest = this.#lines.takeUnfinished();
    if (rest.length > 0 && !this.#ended) input.unshift(rest);
    return Promise.resolve();
  }

  checkpoints(): Checkpoints {
    return {};
  }

  progress(): readonly Progress[] {
    const trouble = this.#ended ? "ended" : undefined;
    return [this.#tally.progress({ position: this.#position, trouble })];
  }

  beat(): number {
    return Infinity;
  }

  get #position(): string {
    return String(this.#lines.offset);
  }

  readonly #take = (chunk: Buffer | string): void => {
    const { lines, dropped } = this.#splitter;
    this.#lines.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    this.#tally.ended(this.#splitter.lines - lines);
    this.#tally.dropped("too_long", this.#splitter.dropped - dropped);
  };

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    const { ended } = this.#parts;
    if (this.#lines.unterminated) this.#tally.dropped("unterminated", 1);
    this.#tally.tell("standard input has ended", this.#position);
    ended();
  };

  readonly #fail = (error: unknown): void => {
    this.#tally.gap(reasonOf(error));
    this.#end();
  };
}
