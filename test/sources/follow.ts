/** A source under test, and what came out of it. */
import { expect } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Line, Mark } from "../../src/model.ts";
import { FileSource } from "../../src/sources/file.ts";
import type { Deliver, Wanted, Wants } from "../../src/sources/source.ts";
import { until } from "../until.ts";
import type { LogDirectory } from "./log-directory.ts";
import { holding } from "./wanted.ts";

/** The machine's clock at ten times its speed, for what is told or tried again only after a while. */
export const hurried: Clock = {
  now: () => systemClock.now(),
  monotonic: () => 10 * systemClock.monotonic(),
  after: (ms, callback) => systemClock.after(ms / 10, callback),
};

interface Options {
  readonly clock?: Clock;
  readonly since?: number;
  readonly checkpoint?: readonly Mark[];
  readonly deliver?: Deliver;
  readonly timeOf?: Wanted["timeOf"];
  readonly wants?: Wants;
}

/** A line that was delivered, with its bytes as text. */
type Delivered = Omit<Line, "bytes"> & { readonly text: string };

export class Followed {
  readonly source: FileSource;
  readonly lines: Delivered[] = [];
  /** What the log told: `warning possible gap`. */
  readonly told: string[] = [];

  constructor(path: string, { clock = systemClock, deliver, wants, ...rest }: Options = {}) {
    const tell =
      (level: string) =>
      (event: string): void =>
        void this.told.push(`${level} ${event}`);
    const log: Log = { info: tell("info"), warning: tell("warning"), error: tell("error") };
    this.source = new FileSource({
      path,
      clock,
      log,
      wants: wants ?? holding("#"),
      deliver: ({ bytes, ...line }) => {
        this.lines.push({ ...line, text: bytes.toString("latin1") });
        deliver?.({ ...line, bytes });
      },
      ...rest,
    });
  }

  get texts(): readonly string[] {
    return this.lines.map(({ text }) => text);
  }

  /** How often something was told. */
  times(event: string): number {
    return this.told.filter((one) => one === event).length;
  }

  /** Waits until as many lines as were written have come out, and compares them. */
  async all(log: LogDirectory, from = 0): Promise<void> {
    const expected = log.written.slice(from);
    await until(
      `${String(expected.length)} lines`,
      () => this.lines.length >= expected.length,
    ).catch(() => undefined);
    expect(this.texts).toEqual(expected);
  }
}
