/** The rotated files of a log: their names, their order, and what compresses and removes them. */
import fs from "node:fs";
import { gzipSync } from "node:zlib";
import type { File, Piece } from "./walk-line.ts";
import type { Program } from "./walk-program.ts";

interface Rotated {
  file: File;
  packed: boolean;
  packing: boolean;
  /** What the name ends in, if it is a date. */
  readonly date: string;
}

/** Makes the model of a file that was just made at a path. */
export type Born = (path: string, pieces: readonly Piece[]) => File;

const keep = 9;

export class RotatedFiles {
  readonly #style: Program["style"];
  /** What their names begin with. */
  readonly #base: string;
  readonly #born: Born;
  /** The youngest first. */
  readonly #rotated: Rotated[] = [];
  #days = 0;

  constructor(style: Program["style"], base: string, born: Born) {
    this.#style = style;
    this.#base = base;
    this.#born = born;
  }

  get files(): readonly File[] {
    return this.#rotated.map(({ file }) => file);
  }

  /** Where they stand, the youngest first. */
  get paths(): readonly string[] {
    return this.#rotated.map((_, age) => this.#pathOf(age));
  }

  /** A day that no name bears yet. */
  nextDate(): string {
    this.#days++;
    return `202601${String(this.#days).padStart(2, "0")}`;
  }

  /** Makes room for one more, and removes the oldest if there are enough; true if that was done. */
  shift(): boolean {
    this.finishPacking();
    if (this.#style !== "number") return false;
    const removed = this.#rotated.length >= keep && this.removeOldest();
    for (let age = this.#rotated.length - 1; age >= 0; age--) {
      const packed = this.#rotated[age]?.packed === true;
      fs.renameSync(this.#pathOf(age), this.#pathOf(age + 1, packed));
    }
    return removed;
  }

  /** One more; gives the path that it is to bear. */
  add(file: File, date = this.#style === "date" ? this.nextDate() : ""): string {
    this.#rotated.unshift({ file, packed: false, packing: false, date });
    return this.#pathOf(0);
  }

  /** The youngest is made of this file. */
  isNow(file: File): void {
    const [youngest] = this.#rotated;
    if (youngest !== undefined) youngest.file = file;
  }

  /** Half of a `.gz` stands beside one of them. */
  pack(which: number, live: File | undefined): void {
    const plain = this.#rotated.filter((one) => !one.packed && !one.packing && one.file !== live);
    const one = plain[which % Math.max(1, plain.length)];
    if (one === undefined) return;
    one.packing = true;
    const path = this.#pathOf(this.#rotated.indexOf(one));
    const packed = gzipSync(fs.readFileSync(path));
    fs.writeFileSync(`${path}.gz`, packed.subarray(0, packed.length / 2));
  }

  finishPacking(): void {
    for (const [age, one] of this.#rotated.entries()) {
      if (!one.packing) continue;
      const path = this.#pathOf(age);
      const { atime, mtime } = fs.statSync(path);
      fs.writeFileSync(`${path}.gz`, gzipSync(fs.readFileSync(path)));
      fs.utimesSync(`${path}.gz`, atime, mtime);
      fs.rmSync(path);
      const { denied, hole, pieces } = one.file;
      one.packing = false;
      one.packed = true;
      one.file = this.#born(`${path}.gz`, pieces);
      Object.assign(one.file, { denied, hole, packed: true });
    }
  }

  /** True if there was one to remove. */
  removeOldest(): boolean {
    const oldest = this.#rotated.at(-1);
    if (oldest === undefined || oldest.packing) return false;
    fs.rmSync(this.#pathOf(this.#rotated.length - 1));
    this.#rotated.pop();
    return true;
  }

  #pathOf(age: number, packed = this.#rotated[age]?.packed === true): string {
    const { date = "" } = this.#rotated[age] ?? {};
    const suffix = this.#style === "number" ? `.${String(age + 1)}` : `-${date}`;
    return `${this.#base}${suffix}${packed ? ".gz" : ""}`;
  }
}
