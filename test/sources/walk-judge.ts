/** Judges by the model what a follower delivers and tells: what is due, what may come again, and what nobody can have. */
import type { Mark, Progress } from "../../src/model.ts";
import { Gaps } from "./walk-gaps.ts";
import { Halves } from "./walk-halves.ts";
import type { Known } from "./walk-halves.ts";
import type { File, Line, Piece } from "./walk-line.ts";
import type { World } from "./walk-world.ts";
import { linesBegin } from "./walk-writers.ts";

/** What a program came to. */
export interface Outcome {
  /** What was wrong, in words. */
  readonly faults: readonly string[];
  readonly lines: number;
  /** Lines that did not come out and should have; lines that came out too often. */
  readonly lost: number;
  readonly duplicated: number;
  /** Lines that came again after a kill. */
  readonly again: number;
  /** Lines that did not come out, since nobody could have read them, or could have told them from the half of another. */
  readonly inherent: number;
  readonly gaps: number;
}

/** What one follower has come to. */
interface Run {
  delivered: number;
  /** So many lines had ended before the youngest file was born that something came out of. */
  horizon: number;
  /** By the file that they were written to, and how often that had been truncated: the last line that came out. */
  readonly last: Map<string, number>;
  /** Files out of which something has surely been read. */
  readonly read: Set<File>;
  /** What stood in rotated files when it started. */
  older: ReadonlySet<Piece>;
  /** It has had all the time that it needs, once. */
  settled: boolean;
  /** It has had no time since it was disturbed at its work. */
  busy: boolean;
}

/** What was known when the state was saved: so many lines had come out, and so on. */
interface Saved {
  readonly out: number;
  readonly known: readonly Known[];
}

export class Judge {
  readonly faults: string[] = [];
  /** What goes on, in words. */
  where = "";
  readonly #world: World;
  readonly #progress: () => Progress | undefined;
  #run: Run = newRun();
  /** Lines in the order in which they came out. */
  readonly #out: Line[] = [];
  #saved: Saved = { out: 0, known: [] };
  /** What the follower surely knows of. */
  #known: readonly Known[] = [];
  /** Lines that were written while a follower was at work: it may just have been where they are. */
  readonly #meanwhile = new Set<Line>();
  readonly #halves: Halves;
  readonly #gaps: Gaps;
  /** Copies that a follower may have begun to read before it could know them: what stands in them may come again. */
  readonly #begun = new Set<File>();
  /** Of followers that are no more. */
  #told = 0;
  #tooLong = 0;
  #lost = 0;
  #duplicated = 0;
  /** So many lines had ended before the step. */
  #ended = 0;
  #again = 0;

  /** `progress` is what the follower tells now, if there is one. */
  constructor(world: World, progress: () => Progress | undefined) {
    this.#world = world;
    this.#progress = progress;
    this.#gaps = new Gaps(world, () => this.#told + (progress()?.gaps ?? 0));
    this.#halves = new Halves(world, (file) => this.#gaps.isGivenUp(file));
  }

  fault(what: string): void {
    this.faults.push(`${this.where}: ${what}`);
  }

  outcome(): Outcome {
    const whole = this.#world.lines.filter(({ order }) => order !== undefined);
    const missed = whole.filter(({ due, deliveries }) => due > 0 && deliveries === 0);
    if (!this.#world.harmed && this.#told > 0) this.fault("a gap was told, and there was none");
    const tooLong = whole.filter(({ due }) => due === 0).length;
    if (!this.#world.harmed && this.#tooLong < tooLong) this.fault("a line too long is not told");
    return {
      faults: this.faults,
      lines: whole.length,
      lost: this.#lost,
      duplicated: this.#duplicated,
      again: this.#again,
      inherent: missed.length - this.#lost,
      gaps: this.#told,
    };
  }

  /** Something came out. */
  delivered(bytes: Buffer): void {
    const text = bytes.toString();
    const id = /^(\d+) .* \1 #$/.exec(text.slice(linesBegin.length))?.[1];
    const line = id === undefined ? undefined : this.#world.lines[Number(id)];
    this.#run.delivered++;
    if (line?.order === undefined || !line.bytes.subarray(0, -1).equals(bytes)) {
      if (!this.#halves.mayComeOut(bytes)) this.fault(`torn: ${text}`);
      return;
    }
    line.deliveries++;
    this.#out.push(line);
    const again = this.#mayComeAgain(line);
    if (line.deliveries > line.most + (again ? line.places.size : 0)) {
      this.#duplicated++;
      this.fault(`line ${String(line.id)} came out ${String(line.deliveries)} times`);
    } else if (line.deliveries > 1) {
      this.#again++;
    }
    const { last, horizon } = this.#run;
    // What has lost its name leaves open which copies were made of it.
    const open = !this.#world.named(line.file) || this.#meanwhile.has(line) || again;
    const late = line.order < horizon && !open;
    const content = contentOf(line);
    if (late || (line.order <= (last.get(content) ?? -1) && !again))
      this.fault(`line ${String(line.id)} came late`);
    last.set(content, line.order);
    this.#run.horizon = Math.max(horizon, line.after);
  }

  /**
   * A copy that is looked at while it is made; a file that could not be opened at first; one that begins with a hole; one that
   * was rotated before the follower started, and has been compressed since: by the first bytes, or by the inode, a follower
   * cannot know that it has read them elsewhere, and reading them again is harmless.
   */
  #mayComeAgain({ places }: Line): boolean {
    const { older } = this.#run;
    return [...places.keys()].some(
      (file) =>
        this.#begun.has(file) ||
        this.#gaps.isGivenUp(file) ||
        file.hole ||
        (file.packed && file.pieces.some((piece) => older.has(piece))),
    );
  }

  /** Lines that can be read and did not come out. */
  get missing(): readonly Line[] {
    const { held, shut } = this.#world;
    // What is not open yet is looked for when the log can be opened, and copies of what was not read yet come first.
    const readable = (file: File) =>
      held.has(file) ? !shut || this.#run.read.has(file) : this.#world.opens(file);
    return this.#due.filter(({ places }) =>
      [...places].some(([file, epoch]) => file.epoch === epoch && readable(file)),
    );
  }

  /** Whether more time may bring what is due. */
  get waits(): boolean {
    return this.missing.length > 0 || (!this.#world.blind && this.#untold.length > 0);
  }

  get #due(): readonly Line[] {
    return this.#world.lines.filter(
      ({ order, due, deliveries, doomed }) =>
        order !== undefined && deliveries < due && doomed === undefined,
    );
  }

  /** The log is about to be truncated. */
  truncating(): void {
    this.#halves.truncating(this.#known);
    const { live } = this.#world;
    if (live !== undefined) this.#run.read.delete(live);
  }

  /** The log is about to lose its name. */
  unlinking(): void {
    this.#halves.unlinking();
  }

  /** After each step: what stands nowhere any more may be lost. */
  doom(): void {
    if (this.#run.busy) for (const line of this.#due) this.#meanwhile.add(line);
    if (!this.#run.settled) this.#mayRepeat();
    const doomed = this.#due.filter(
      ({ places }) =>
        ![...places].some(
          ([file, epoch]) =>
            file.epoch === epoch && this.#world.reaches(file) && !this.#gaps.isGivenUp(file),
        ),
    );
    for (const line of doomed) line.doomed = this.where;
    // Nobody can tell of what is written to a file that has been out of reach before.
    const gone = doomed.filter(
      ({ places, order = 0 }) =>
        order < this.#ended && ![...places.keys()].some((file) => this.#gaps.isGivenUp(file)),
    );
    this.#gaps.lost(gone, this.#known);
    this.#ended = this.#world.lines.filter(({ order }) => order !== undefined).length;
  }

  /** A follower is at work: it may read a file that is being copied. */
  works(): void {
    const { live, copying } = this.#world;
    const begins = !this.#run.settled || !this.#known.some(({ file }) => file === live);
    if (copying !== undefined && begins) this.#begun.add(copying);
    this.#run.busy = true;
    this.#gaps.works();
    this.#halves.works();
  }

  /** A follower has started. */
  started(): void {
    this.#run = newRun();
    const rotated = this.#world.files.filter(
      (file) => file !== this.#world.live && this.#world.named(file),
    );
    this.#run.older = new Set(rotated.flatMap(({ pieces }) => pieces));
    // Of what is gone already a gap is owed already, or is told now.
    this.#known = this.#known.filter(
      ({ file, mark }) => this.#world.reaches(file) && this.#world.holds(mark),
    );
    this.#mayRepeat();
  }

  /** A follower does not find all that its marks name, or they name empty files alone: it may read again what is there. */
  #mayRepeat(): void {
    const { known } = this.#saved;
    const found = ({ mark }: Known) => mark.offset === 0 || this.#world.holds(mark, true);
    const tells = known.some(({ mark }) => mark.offset > 0);
    if (known.length === 0 || (tells && known.every(found))) return;
    for (const line of this.#world.lines) line.most = Math.max(line.most, line.deliveries + 1);
  }

  /** The follower has had all the time that it needs; it would start again from these marks. */
  settled(marks: readonly Mark[]): void {
    this.#complain(this.missing);
    const { held, live, files, shut } = this.#world;
    // What happened meanwhile it has not seen.
    if (!shut) this.#known = this.#knownBy(marks);
    const waits = shut || files.some((file) => file.denied && file !== live);
    if (live !== undefined) live.grown = this.#world.now();
    for (const file of files) {
      const open = this.#known.some((one) => one.file === file);
      if (this.#world.opens(file) && (open || !waits)) held.add(file);
      const begun = file.pieces.some(
        ({ line, part }) => part === "whole" && this.#run.last.has(contentOf(line)),
      );
      if (held.has(file) && (begun || (!waits && file.pieces.length > 0))) this.#run.read.add(file);
    }
    this.#run.settled = true;
    this.#run.busy = false;
    this.#halves.settled(this.#run.read);
    if (!this.#world.blind) {
      for (const { id } of this.#untold)
        this.fault(`nobody told that line ${String(id)} may be lost`);
      this.#gaps.settled();
    }
    this.#halves.named();
  }

  /** Old files were closed. */
  hushed(): void {
    for (const file of this.#world.held)
      if (file !== this.#world.live) this.#world.held.delete(file);
  }

  saved(marks: readonly Mark[]): void {
    this.#saved = { out: this.#out.length, known: this.#knownBy(marks) };
    this.#halves.save();
  }

  /** The follower has ended as it should, and its state is saved. */
  stopped(): void {
    this.#count();
    const { held } = this.#world;
    this.#complain(
      this.missing.filter(({ places }) =>
        [...places].some(
          ([file, epoch]) => held.has(file) && this.#run.read.has(file) && file.epoch === epoch,
        ),
      ),
    );
    this.#end();
  }

  /** The follower is dead: the next one knows only what was saved. */
  killed(): void {
    this.#end();
    const { known, out } = this.#saved;
    const covered = this.#out.slice(0, out);
    for (const line of new Set(this.#out.slice(out))) {
      if (covered.filter((one) => one === line).length < line.due) line.due = line.deliveries + 1;
      line.most = Math.max(line.most, line.deliveries + 1);
    }
    this.#gaps.killed(known);
  }

  #count(): void {
    const { lines = 0, dropped } = this.#progress() ?? {};
    const { too_long = 0, unterminated = 0 } = dropped ?? {};
    const ended = this.#run.delivered + too_long;
    if (lines < ended || lines > ended + unterminated)
      this.fault(`counted ${String(lines)} lines, ${String(ended)} came out or were too long`);
  }

  #end(): void {
    const { gaps = 0, dropped } = this.#progress() ?? {};
    this.#told += gaps;
    this.#tooLong += dropped?.too_long ?? 0;
    this.#world.held.clear();
    this.#known = this.#saved.known;
    this.#halves.end();
    this.#run = newRun();
  }

  #knownBy(marks: readonly Mark[]): readonly Known[] {
    return marks.flatMap((mark) => {
      const file = this.#world.byMark(mark);
      return file === undefined ? [] : [{ mark, file, epoch: file.epoch }];
    });
  }

  #complain(lines: readonly Line[]): void {
    for (const line of lines) {
      line.doomed = this.#halves.isDoubted(line) ? "doubted" : "told";
      if (line.doomed === "doubted") continue;
      this.#lost++;
      this.fault(`line ${String(line.id)} is lost`);
    }
  }

  /** Lines that are lost without a gap being told. */
  get #untold(): readonly Line[] {
    return this.#gaps.untold.filter((line) => !this.#halves.isDoubted(line));
  }
}

function contentOf({ file, epoch }: Line): string {
  return `${String(file.birth)}:${String(epoch)}`;
}

function newRun(): Run {
  return {
    delivered: 0,
    horizon: -1,
    last: new Map(),
    read: new Set(),
    older: new Set(),
    settled: false,
    busy: true,
  };
}
