/** The versions of one map, as this process put them there: which of them is the last resort's, and what came before it. */
import { exit, PublishError } from "../errors.ts";

/** The last resort overtakes a write; what had begun before it must not come after it. */
export class Versions {
  #resorts = 0;
  #version = 0;
  #emptied = 0;

  /** Whether nothing was put there, or begun where it stands, since the last resort. */
  get isEmpty(): boolean {
    return this.#emptied === this.#version;
  }

  /** A write begins; gives what `requireLast` wants. */
  get began(): number {
    return this.#resorts;
  }

  /** Whether no last resort came since a write began. */
  isLast(began: number): boolean {
    return began === this.#resorts;
  }

  /** @throws PublishError if a last resort came since a write began */
  requireLast(began: number): void {
    if (!this.isLast(began)) throw new PublishError("the last resort came first", exit.tempFail);
  }

  /** A last resort begins. */
  resort(): void {
    this.#resorts += 1;
  }

  /** Something is put there; gives its number. */
  put(): number {
    this.#version += 1;
    return this.#version;
  }

  /** The number of what was put there last. */
  get latest(): number {
    return this.#version;
  }

  /** That version is empty. */
  empty(version: number): void {
    this.#emptied = version;
  }
}
