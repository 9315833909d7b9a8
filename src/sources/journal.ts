/** The systemd journal: journalctl reads it, once to its end and then on, and is started again whenever it ends. */
import type { Clock } from "../clock.ts";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Checkpoint, Checkpoints, Progress } from "../model.ts";
import type { Child, Spawn } from "../run.ts";
import { Health } from "./health.ts";
import { journalctl, mayMean } from "./journalctl.ts";
import { isSameEntry, journalEntryOf } from "./journal-entry.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { LineSplitter, LineStream } from "./lines.ts";
import { nameOf } from "./settings.ts";
import type { JournalSettings } from "./settings.ts";
import type { Source, Wanted } from "./source.ts";
import { Tally } from "./tally.ts";
import { isTrusted } from "./trust.ts";
import { turns } from "./turns.ts";

interface Parts extends Pick<Wanted, "programs" | "deliver"> {
  readonly settings: JournalSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly spawn: Spawn;
  /** Wall clock, ms: without a checkpoint, nothing older is read. */
  readonly since: number;
  readonly checkpoint: Checkpoint | undefined;
}

/** How long it waits before it starts a journalctl that ended again, in ms: twice as long each time, until one has lasted. */
const shortestPause = 250;
const longestPause = 30_000;

/**
 * How long one journalctl follows, in ms. It can go deaf without a word: it knows no directory that was made after it started,
 * be it that of a namespace, a /var/log/journal that journald is told to write to from now on, or one that was made anew.
 */
const longestFollowing = 60_000;

const everyLine = () => true;

export class JournalSource implements Source {
  readonly name: string;
  readonly #parts: Parts;
  readonly #health: Health;
  readonly #tally: Tally;
  /** The last entry that was delivered. */
  #cursor: string | undefined;
  /** One that was not there any more when it was looked for. */
  #gone: string | undefined;
  #number = 0;
  #live = false;
  #pause = shortestPause;
  #ending = false;
  #child: Child | undefined;
  #wake = () => {};
  #started: Promise<void> | undefined;
  #reading: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { settings, clock, log, checkpoint } = parts;
    this.name = nameOf(settings);
    this.#parts = parts;
    this.#health = new Health(this.name, clock, log);
    this.#tally = new Tally(this.name, clock, log);
    this.#cursor =
      checkpoint !== undefined && "cursor" in checkpoint ? checkpoint.cursor : undefined;
  }

  start(): Promise<void> {
    return (this.#started ??= new Promise((resolve) => {
      this.#reading = this.#readOn(resolve);
    }));
  }

  /** What is not read yet stays in the journal for the next start. */
  async stop(): Promise<void> {
    if (!this.#ending && this.#live) this.#tally.tell("stopped", this.#position);
    this.#ending = true;
    this.#child?.end();
    this.#wake();
    await this.#reading;
  }

  checkpoints(): Checkpoints {
    return this.#cursor === undefined ? {} : { [this.name]: { cursor: this.#cursor } };
  }

  progress(): readonly Progress[] {
    return [this.#tally.progress({ position: this.#position, trouble: this.#health.complaint })];
  }

  beat(): number {
    return Infinity;
  }

  get #position(): string {
    return this.#cursor ?? "start";
  }

  /** Calls back when it has caught up, or could not. */
  async #readOn(started: () => void): Promise<void> {
    while (!this.#ending) {
      this.#tally.looks();
      if (await this.#read(false)) {
        this.#caughtUp();
        started();
        const { clock } = this.#parts;
        const began = clock.monotonic();
        const renews = await this.#read(true);
        if (clock.monotonic() - began > longestPause) this.#pause = shortestPause;
        if (renews) continue;
      }
      started();
      await this.#rest();
    }
    started();
  }

  #caughtUp(): void {
    this.#tally.reachedEnd();
    this.#health.follows();
    if (this.#live) return;
    this.#live = true;
    this.#tally.tell("caught up", this.#position);
  }

  /** Reads to the end of the journal, or for as long as it may follow; says whether it did, and journalctl did not fail. */
  async #read(follow: boolean): Promise<boolean> {
    const { settings, programs, since } = this.#parts;
    const last = this.#cursor;
    let first = true;
    const take = (line: Buffer) => {
      const entry = journalEntryOf(line.toString());
      if (entry === undefined) {
        this.#health.failed("journalctl wrote what is no entry", line.toString("latin1", 0, 80));
        return;
      }
      // The last entry comes again, if it is still there. Journals of earlier boots may be left out while following.
      const again = first && last !== undefined && isSameEntry(entry.cursor, last);
      if (first && !again && !follow) this.#missed(last);
      first = false;
      if (!again) this.#take(entry);
    };
    try {
      const begin = last === undefined ? { since } : { cursor: last };
      const argv = journalctl(settings, programs, begin, follow);
      const { reason, told } = await this.#run(argv, take, follow ? longestFollowing : undefined);
      if (this.#ending) return false;
      if (told) return true;
      if (reason === "" && !follow) {
        if (first) this.#missed(last);
        return true;
      }
      this.#health.ails("journal unreadable", reason === "" ? "journalctl has ended" : reason);
    } catch (thrown) {
      this.#health.failed("journal cannot be followed", reasonOf(thrown));
    }
    return false;
  }

  /** Runs journalctl to its end, for so many ms at most; gives why it failed, or nothing, and whether it was told to end. */
  async #run(
    argv: readonly [string, ...string[]],
    take: (line: Buffer) => void,
    longest: number | undefined,
  ): Promise<{ readonly reason: string; readonly told: boolean }> {
    const { spawn, clock } = this.#parts;
    const child = await spawn(argv);
    this.#child = child;
    if (this.#ending) child.end();
    let told = false;
    const end = () => {
      told = true;
      child.end();
    };
    const cancel = longest === undefined ? () => {} : clock.after(longest, end);
    const splitter = new LineSplitter(everyLine);
    const lines = new LineStream(splitter, take);
    try {
      for await (const chunk of child.output) {
        if (this.#ending) continue;
        lines.push(chunk);
        await turns.next();
      }
      return { reason: (await child.outcome).reason, told };
    } finally {
      cancel();
      this.#tally.dropped("too_long", splitter.dropped);
    }
  }

  /** Told once for each entry. */
  #missed(cursor: string | undefined): void {
    if (cursor === this.#gone) return;
    this.#gone = cursor;
    this.#tally.gap("what was read last is not in the journal any more");
  }

  #take({ cursor, prefix, message, trusted, suppressed }: JournalEntry): void {
    const { settings, deliver } = this.#parts;
    this.#cursor = cursor;
    if (suppressed !== undefined) return this.#tellSuppressed(suppressed);
    this.#number++;
    this.#tally.ended(1);
    if (!isTrusted(trusted, settings.trust)) return this.#tally.dropped("untrusted", 1);
    if (message === undefined) return this.#tally.dropped("too_long", 1);
    try {
      deliver({
        source: this.name,
        bytes: message,
        prefix,
        offset: undefined,
        number: this.#number,
        live: this.#live,
      });
    } catch (thrown) {
      this.#health.failed("a line could not be dealt with", reasonOf(thrown));
    }
  }

  /** Where the config says whose entries count, what is suppressed of others does not matter. */
  #tellSuppressed({ unit, messages }: NonNullable<JournalEntry["suppressed"]>): void {
    const { trust, units } = this.#parts.settings;
    if (trust._SYSTEMD_UNIT?.includes(unit) === false) return;
    if (units?.some((one) => mayMean(one, unit)) === false) return;
    this.#tally.gap(`journald suppressed ${messages} messages from ${unit}`);
  }

  async #rest(): Promise<void> {
    if (this.#ending) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(this.#pause, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#pause = Math.min(2 * this.#pause, longestPause);
  }
}
