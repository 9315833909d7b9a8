/** Which losses a follower has to tell of: lines that nobody can read any more, of files that it knew. */
import type { Known } from "./walk-halves.ts";
import type { File, Line } from "./walk-line.ts";
import type { World } from "./walk-world.ts";

/** Lines that are lost, of which a possible gap has to be told; so many had been told before. */
interface Owed {
  readonly lines: readonly Line[];
  readonly gaps: number;
}

export class Gaps {
  readonly #world: World;
  /** How many gaps have been told by now. */
  readonly #told: () => number;
  #owed: readonly Owed[] = [];
  /** Rotated files that could not be opened when they were looked for, and how many gaps had been told before. */
  readonly #givenUp = new Map<File, number>();
  /** How many had been told when the step began. */
  #before = 0;

  constructor(world: World, told: () => number) {
    this.#world = world;
    this.#told = told;
  }

  isGivenUp(file: File): boolean {
    return this.#givenUp.has(file);
  }

  /** These lines stand nowhere any more; a follower surely knows of these files. */
  lost(lines: readonly Line[], known: readonly Known[]): void {
    this.#before = this.#told();
    if (lines.length === 0) return;
    const gone = known.filter(({ mark }) => mark.offset > 0 && !this.#world.holds(mark));
    this.#owed = [...this.#owed, { lines: linesOf(gone, lines), gaps: this.#before }];
  }

  /** A follower is at work: a rotated file that it may not open it may give up. */
  works(): void {
    const { files, live, held } = this.#world;
    for (const file of files) {
      if (!file.denied || file === live || held.has(file) || !this.#world.named(file)) continue;
      const same = [...this.#givenUp].find(([{ pieces }]) => pieces[0] === file.pieces[0]);
      this.#givenUp.set(file, same?.[1] ?? this.#before);
    }
  }

  /** The follower is dead: the next one can only tell of what its state names. */
  killed(saved: readonly Known[]): void {
    const gone = saved.filter(({ mark }) => mark.offset > 0 && !this.#world.holds(mark));
    this.#owed = this.#owed.map(({ lines, gaps }) => ({ lines: linesOf(gone, lines), gaps }));
  }

  /** Lines that are lost without a gap having been told. */
  get untold(): readonly Line[] {
    const givenUp = [...this.#givenUp].map(([file, gaps]) => ({
      lines: this.#world.named(file) ? wholeIn(file) : [],
      gaps,
    }));
    return [...this.#owed, ...givenUp]
      .filter(({ gaps }) => this.#told() <= gaps)
      .flatMap(({ lines }) => lines.filter(({ deliveries, due }) => deliveries < due));
  }

  settled(): void {
    this.#owed = [];
  }
}

/** Those of the lines that were written to these files. */
function linesOf(known: readonly Known[], lines: readonly Line[]): readonly Line[] {
  return lines.filter((line) =>
    known.some(({ file, epoch }) => file === line.file && epoch === line.epoch),
  );
}

function wholeIn({ pieces }: File): readonly Line[] {
  return pieces.flatMap(({ line, part }) => (part === "whole" ? [line] : []));
}
