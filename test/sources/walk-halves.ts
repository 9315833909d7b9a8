/** What a follower can know of lines that a truncation cut in two: which second half it must drop, and which line it may. */
import type { Mark } from "../../src/model.ts";
import { chunkLength } from "../../src/sources/generation.ts";
import type { File, Line, Piece } from "./walk-line.ts";
import type { World } from "./walk-world.ts";

/** A file as a follower knows it: so often it had been truncated, and so far it was read. */
export interface Known {
  readonly mark: Mark;
  readonly file: File;
  readonly epoch: number;
}

/** A file that begins, after so many truncations, with what may be the second half of a lost line. */
interface Doubt {
  readonly file: File;
  readonly epoch: number;
}

export class Halves {
  readonly #world: World;
  readonly #isGivenUp: (file: File) => boolean;
  /** First halves that the follower surely has seen, and those that it may have seen. */
  #seen = new Set<Line>();
  #glimpsed = new Set<Line>();
  /** Those that were truncated away: it knows that what comes first may be the second half. */
  #cut = new Set<Line>();
  /** Those of these whose truncation it surely has noticed, and those of which the state tells. */
  #noticed: readonly Line[] = [];
  #saved: readonly Line[] = [];
  /** First halves of which the state surely tells, and those of which it may. */
  #savedSeen: ReadonlySet<Line> = new Set();
  #savedGlimpsed: ReadonlySet<Line> = new Set();
  /** By the state, these files may begin with a second half. */
  #marked: readonly string[] = [];
  /** It has had all the time that it needs, once. */
  #settled = false;
  /** Files that begin, after so many truncations, with what may be the second half of a lost line. */
  readonly #doubts: Doubt[] = [];
  /** Those of which the next follower will think so, if this one is killed before it saves again. */
  #savedDoubts: Doubt[] = [];
  /** So many files had been made when one lost its name and left half a line: of all younger ones the first line is in doubt. */
  #unsure = Infinity;
  #savedUnsure = Infinity;

  /** `isGivenUp` says of a file that it could not be opened, and that a gap was told: no state tells of it any more. */
  constructor(world: World, isGivenUp: (file: File) => boolean) {
    this.#world = world;
    this.#isGivenUp = isGivenUp;
  }

  /** The second half of a line whose first half was truncated away may come out if there was no way to know of that one. */
  mayComeOut(bytes: Buffer): boolean {
    return this.#world.lines.some(
      (line) =>
        line.order === undefined &&
        line.bytes.subarray(-1 - bytes.length, -1).equals(bytes) &&
        !this.#knows(line),
    );
  }

  /**
   * It has seen the first half, or finds it at the end of a copy. Of a file out of which nothing has been read a state tells
   * by its inode, which it has no more once it is compressed.
   */
  #knows(line: Line): boolean {
    if (!this.#cut.has(line) || line.file.denied || this.#isGivenUp(line.file)) return false;
    // What is empty and has no name any more tells nobody which files are copies of it.
    const tells = line.file.pieces.length > 0 && this.#settled;
    if (!tells && !this.#world.named(line.file)) return false;
    const known = this.#seen.has(line) || this.#noticed.includes(line);
    return known || this.#world.heads.includes(line);
  }

  /** A whole line that stands where the second half of another may stand: it may be dropped. */
  isDoubted({ first, file, epoch, places }: Line): boolean {
    const doubted = this.#doubts.some((one) => one.file === file && one.epoch === epoch);
    // By its first bytes a file that begins with a hole cannot be told from its copy, which may end within a line.
    return (
      first &&
      (file.hole ||
        doubted ||
        this.#world.late ||
        [file, ...places.keys()].some(({ identity }) => this.#marked.includes(identity)) ||
        file.birth >= this.#unsure)
    );
  }

  /** A follower is at work. */
  works(): void {
    for (const { pieces } of this.#world.files) {
      const last = pieces.at(-1);
      if (last?.part === "head") this.#glimpsed.add(last.line);
    }
  }

  /** The follower has had all the time that it needs, and has read these files. */
  settled(read: Iterable<File>): void {
    this.#settled ||= !this.#world.blind;
    for (const file of read) {
      const last = file.pieces.at(-1);
      if (last?.part === "head") this.#seen.add(last.line);
    }
    if (!this.#world.blind) this.#noticed = [...this.#cut];
  }

  /** What was in doubt because a file had lost its name has been read. */
  named(): void {
    this.#unsure = Infinity;
  }

  save(): void {
    this.#saved = this.#noticed;
    this.#savedSeen = new Set([...this.#seen].filter((line) => isLast(line)));
    this.#savedGlimpsed = new Set(this.#glimpsed);
    this.#savedDoubts = [];
    const doubted = this.#doubts.filter(({ file, epoch }) => file.epoch === epoch);
    // An empty copy hands on that a half was lost.
    const empty = this.#world.files.filter(({ pieces }) => pieces.length === 0);
    const copies = this.#cut.size > 0 ? empty : [];
    this.#marked = [
      ...(this.#settled ? [] : this.#marked),
      ...[...this.#cut, ...doubted].map(({ file }) => file.identity),
      ...copies.map(({ identity }) => identity),
    ];
    this.#savedUnsure = this.#unsure;
  }

  /** The next follower knows what was saved, unless that was truncated once more, second half and all. */
  end(): void {
    this.#noticed = this.#saved.filter((line) => stands(line, this.#world.files));
    this.#cut = new Set(this.#noticed);
    this.#seen = new Set(this.#savedSeen);
    this.#glimpsed = new Set(this.#savedGlimpsed);
    this.#settled = false;
    this.#doubts.push(...this.#savedDoubts);
    this.#unsure = Math.min(this.#unsure, this.#savedUnsure);
  }

  /** The log is about to be truncated; this is what the follower surely knows of. */
  truncating(known: readonly Known[]): void {
    const { live: file } = this.#world;
    if (file === undefined) return;
    const next = { file, epoch: file.epoch + 1 };
    // What one turn has read may end within a line, too.
    const length = file.pieces.reduce((sum, { line }) => sum + line.bytes.length, 0);
    if (length > chunkLength) this.#doubts.push(next);
    // What stood behind a hole stays in doubt where it was copied to.
    if (file.hole) this.#doubts.push({ file, epoch: file.epoch });
    const doubted = this.#doubts.some((one) => one.file === file && one.epoch === file.epoch);
    // A second half that came and went before anybody looked is still waited for.
    const awaited =
      this.#marked.includes(file.identity) || [...this.#cut].some((line) => line.file === file);
    const unread = !file.pieces.some(({ line }) => line.deliveries > 0);
    if ((doubted || awaited) && unread) this.#doubts.push(next);
    const saved = this.#savedDoubts.some((one) => one.file === file);
    if (saved || file.pieces.some(({ line }) => this.#savedGlimpsed.has(line)))
      this.#savedDoubts.push(next);
    // A start that leads nowhere tells a gap, and reads what is there as it is.
    const read = known.some(
      ({ mark, ...one }) =>
        one.file === file && mark.offset > 0 && (this.#settled || this.#world.holds(mark)),
    );
    for (const { line, part } of file.pieces) {
      const kept = this.#world.heads.includes(line);
      const found = kept && read && !file.denied;
      const glimpsed = this.#glimpsed.has(line) && line.deliveries === 0;
      // What was seen as half of a line, or stands so in a copy, may be no half any more.
      if (part !== "head" && (glimpsed || kept)) this.#doubts.push(next);
      if (part === "head" && (this.#seen.has(line) || found)) this.#cut.add(line);
      if (part === "tail" && !this.#settled) this.#cut.delete(line);
    }
  }

  /** The log is about to lose its name: of which file a copy ends within a line, nobody can tell then. */
  unlinking(): void {
    const { live } = this.#world;
    const last = live?.pieces.at(-1);
    const halves = this.#glimpsed.size + this.#cut.size + this.#world.heads.length;
    if (last?.part === "head" || halves > 0)
      this.#unsure = Math.min(this.#unsure, this.#world.files.length);
    for (const line of this.#cut)
      if (line.file === live && !(this.#seen.has(line) && stands(line, this.#world.files)))
        this.#cut.delete(line);
  }
}

/** Whether its file ends with the first half of this line. */
function isLast(line: Line): boolean {
  const last = line.file.pieces.at(-1);
  return last?.line === line && last.part === "head";
}

/** Whether the second half of a line stands where it was written, if it was written at all. */
function stands(line: Line, files: readonly File[]): boolean {
  const isTail = (piece: Piece) => piece.part === "tail" && piece.line === line;
  return line.file.pieces.some(isTail) || !files.some(({ pieces }) => pieces.some(isTail));
}
