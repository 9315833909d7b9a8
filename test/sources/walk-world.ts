/** A directory with a log in it, and an exact model beside it: which line stands in which file, and who can still reach it. */
import fs from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Mark } from "../../src/model.ts";
import type { File, Line, Piece } from "./walk-line.ts";
import type { Program, Step } from "./walk-program.ts";
import { RotatedFiles } from "./walk-rotated.ts";
import { Writers } from "./walk-writers.ts";

export class World {
  readonly path: string;
  readonly files: File[] = [];
  /** What is open in the follower for sure: it can read that whatever happens to the names. */
  readonly held = new Set<File>();
  /** Something happened that a follower must take for a possible loss. */
  harmed = false;
  live: File | undefined;
  /** Nobody is permitted to look into the directory of the log. */
  shut = false;
  /** A file that was denied ends within a line: given up and found later, it passes for a copy of what is read first. */
  late = false;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly #style: Program["style"];
  readonly #directory: string;
  readonly #rotated: RotatedFiles;
  readonly #writers: Writers;
  /** Where the live file stands. */
  #real: string;
  /** The copy that is being made of the live file. */
  #copying: string | undefined;

  /** Takes over an empty directory. */
  constructor({ style, linked }: Program, directory: string, now: () => number) {
    this.#style = style;
    this.now = now;
    this.#directory = directory;
    this.path = join(this.#directory, "mail.log");
    this.#writers = new Writers(this);
    const store = linked && style !== "swap" ? join(this.#directory, "store") : this.#directory;
    this.#real = join(store, "mail.log");
    this.#rotated = new RotatedFiles(style, this.#real, this.#born);
    if (style === "swap") this.#real = `${this.path}-${this.#rotated.nextDate()}`;
    if (store !== this.#directory) fs.mkdirSync(store);
    if (this.#real !== this.path) fs.symlinkSync(this.#real, this.path);
    this.#writers.open(false);
  }

  get lines(): readonly Line[] {
    return this.#writers.lines;
  }

  close(): void {
    this.#permit(true);
    this.#writers.close();
  }

  /** Does one step that is not the follower's. What is denied is denied to the follower alone. */
  step(step: Step): void {
    this.#permit(true);
    this.#step(step);
    this.#permit(false);
  }

  /** Whether there is a way to the file, now or when it is permitted again: a name, or a descriptor of the follower's. */
  reaches(file: File): boolean {
    return this.named(file) || this.held.has(file);
  }

  /** Whether the file can be opened now: rotated ones are looked for when the log itself can be. */
  opens(file: File): boolean {
    return this.named(file) && !file.denied && !this.blind;
  }

  named(file: File): boolean {
    return this.live === file || this.#rotated.files.includes(file);
  }

  /** The youngest file with the numbers of a mark that may have so many bytes; if there is none, it was truncated. */
  byMark({ ino, born = 0, offset }: Mark): File | undefined {
    const most = ({ pieces }: File) => pieces.reduce((sum, { line }) => sum + line.bytes.length, 0);
    const same = this.files.filter(({ identity }) => identity === identityOf(ino, born));
    return same.findLast((file) => file.hole || most(file) >= offset) ?? same.at(-1);
  }

  /** There is no log that can be opened, or what happens to its name cannot be seen. */
  get blind(): boolean {
    return this.shut || this.live === undefined || this.live.denied;
  }

  /** The copy that is being made. */
  get copying(): File | undefined {
    return this.#copying === undefined ? undefined : this.#rotated.files[0];
  }

  /** First halves of lines in which rotated files end. */
  get heads(): readonly Line[] {
    return this.#rotated.files.flatMap(({ pieces }) => {
      const last = pieces.at(-1);
      return last?.part === "head" ? [last.line] : [];
    });
  }

  keepsHead(line: Line): boolean {
    return this.heads.includes(line);
  }

  /** Whether some file with a name, which can be opened if it has to be `open`, holds what was read up to a mark. */
  holds({ offset, head, anchor }: Mark, open = false): boolean {
    this.#permit(true);
    const files = [this.live, ...this.#rotated.files];
    const paths = [this.#real, ...this.#rotated.paths].filter((_, i) => {
      const file = files[i];
      return file !== undefined && !(open && file.denied);
    });
    const texts = paths.map((path) => {
      const stored = fs.readFileSync(path);
      return path.endsWith(".gz") ? gunzipSync(stored) : stored;
    });
    this.#permit(false);
    const before = Buffer.from(anchor, "base64");
    const first = Buffer.from(head, "base64");
    return texts.some(
      (text) =>
        text.length >= offset &&
        text.subarray(0, first.length).equals(first) &&
        text.subarray(offset - before.length, offset).equals(before),
    );
  }

  create(): File {
    if (this.live !== undefined) return this.live;
    fs.closeSync(fs.openSync(this.path, "a", 0o644));
    return (this.live = this.#born(this.#real, []));
  }

  #step(step: Step): void {
    const writers = this.#writers;
    switch (step.do) {
      case "write":
        return writers.write(step.by, step.lines, step.long === true);
      case "half":
        return writers.half(step.by, step.cut);
      case "finish":
        return writers.finish(step.by);
      case "open":
        return writers.open(step.hole === true);
      case "reopen":
        return writers.reopen();
      case "shift":
        return this.#style === "swap" ? this.#swap() : this.#shift();
      case "create":
        return void this.create();
      case "copy":
        return this.#style === "swap" ? undefined : this.#copy(step.slow === true);
      case "truncate":
        return this.#truncate();
      case "unlink":
        return this.#unlink();
      case "link":
        return this.#style === "swap" ? undefined : this.#link();
      case "swap":
        return this.#style === "swap" ? this.#swap() : undefined;
      case "pack":
        this.#finishCopy();
        return this.#rotated.pack(step.which, this.live);
      case "packed":
        return this.#rotated.finishPacking();
      case "remove":
        return this.#remove();
      case "deny":
        return this.#deny(step.what);
      case "permit":
        return this.#permitAll();
      default:
        throw new Error(`${step.do} is the follower's`);
    }
  }

  readonly #born = (path: string, pieces: readonly Piece[]): File => {
    const { ino, birthtimeMs } = fs.statSync(path);
    const birth = this.files.length;
    const file: File = {
      birth,
      identity: identityOf(ino, birthtimeMs),
      epoch: 0,
      after: this.#writers.ended,
      pieces: [...pieces],
      grown: this.now(),
      denied: false,
      hole: false,
      packed: false,
    };
    this.files.push(file);
    this.#contains(file);
    return file;
  };

  #contains(file: File): void {
    for (const { line, part } of file.pieces)
      if (part === "whole") line.places.set(file, file.epoch);
  }

  /** Makes room for what is about to be rotated; a hard link that stands there already is the rotated file. */
  #makeRoom(): File | undefined {
    this.#finishCopy();
    if (this.live !== undefined && this.#rotated.files.includes(this.live)) this.#unlink();
    if (this.live === undefined) return undefined;
    if (this.live.denied || this.shut) this.harmed = true;
    if (this.#rotated.shift()) this.harmed = true;
    return this.live;
  }

  #shift(): void {
    const live = this.#makeRoom();
    if (live === undefined) return;
    fs.renameSync(this.#real, this.#rotated.add(live));
    this.live = undefined;
  }

  #copy(slow: boolean): void {
    const live = this.#makeRoom();
    if (live === undefined) return;
    const path = this.#rotated.add(live);
    const text = fs.readFileSync(this.#real);
    fs.writeFileSync(path, text.subarray(0, text.length / 2), { flag: "wx" });
    const copy = this.#born(path, []);
    copy.denied = live.denied;
    copy.hole = live.hole;
    this.#rotated.isNow(copy);
    this.#copying = path;
    if (!slow) this.#finishCopy();
  }

  #finishCopy(): void {
    const [copy] = this.#rotated.files;
    if (this.#copying === undefined || copy === undefined) return;
    const text = fs.readFileSync(this.#real);
    fs.appendFileSync(this.#copying, text.subarray(fs.statSync(this.#copying).size));
    copy.pieces = [...(this.live?.pieces ?? [])];
    this.#contains(copy);
    this.#copying = undefined;
  }

  #link(): void {
    const live = this.#makeRoom();
    if (live !== undefined) fs.linkSync(this.#real, this.#rotated.add(live));
  }

  #swap(): void {
    this.#rotated.finishPacking();
    if (this.live?.denied === true || this.shut) this.harmed = true;
    if (this.live !== undefined)
      this.#rotated.add(this.live, this.#real.slice(this.path.length + 1));
    this.#real = `${this.path}-${this.#rotated.nextDate()}`;
    fs.closeSync(fs.openSync(this.#real, "ax", 0o644));
    fs.symlinkSync(this.#real, `${this.path}.new`);
    fs.renameSync(`${this.path}.new`, this.path);
    this.live = this.#born(this.#real, []);
  }

  #truncate(): void {
    this.#finishCopy();
    const file = this.live;
    if (file === undefined) return;
    const kept = this.#rotated.files.some(
      (one) => one !== file && file.pieces.every(({ line }, i) => one.pieces[i]?.line === line),
    );
    if (!kept || file.pieces.at(-1)?.part === "head") this.harmed = true;
    fs.truncateSync(this.#real, 0);
    for (const { line } of file.pieces) line.places.delete(file);
    file.pieces = [];
    file.epoch++;
    file.hole = false;
    file.after = this.#writers.ended;
  }

  #unlink(): void {
    this.#finishCopy();
    if (this.live === undefined) return;
    fs.rmSync(this.#real);
    if (!this.#rotated.files.includes(this.live)) this.harmed = true;
    this.live = undefined;
  }

  #remove(): void {
    this.#finishCopy();
    if (this.#rotated.files.at(-1) !== this.live && this.#rotated.removeOldest())
      this.harmed = true;
  }

  #deny(what: "log" | "directory"): void {
    // What was rotated away meanwhile may be there, and cannot be listed.
    if (what === "directory") this.shut = this.harmed = true;
    else if (this.live !== undefined) this.live.denied = true;
  }

  #permitAll(): void {
    this.shut = false;
    this.late ||= this.files.some((file) => file.denied && file.pieces.at(-1)?.part === "head");
    for (const file of this.files) file.denied = false;
  }

  /** Gives back what is denied as long as the world itself has something to do. */
  #permit(all: boolean): void {
    if (this.shut && all) fs.chmodSync(dirname(this.#real), 0o755);
    const named = [...this.#rotated.files.entries()].map(([age, file]) => ({
      file,
      path: this.#rotated.paths[age],
    }));
    for (const { file, path } of [...named, { file: this.live, path: this.#real }])
      if (file?.denied === true && path !== undefined) fs.chmodSync(path, all ? 0o644 : 0);
    if (this.shut && !all) fs.chmodSync(dirname(this.#real), 0);
  }
}

function identityOf(ino: number, born: number): string {
  return `${String(ino)}:${String(born)}`;
}
