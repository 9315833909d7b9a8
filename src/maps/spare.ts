/** The way out: an empty map that stands ready beside the live one, for when none can be built any more. */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, renameSync } from "node:fs";
import type { Stats } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exit, PublishError } from "../errors.ts";
import type { Built } from "./build.ts";
import type { AccessMap } from "./map.ts";
import { makeLater } from "./mtime.ts";

/**
 * An empty map of one table, source and index. Putting it there takes renames alone: no tool, no lock, no space on the disk.
 * It outlives its popgate, so that the next one, or `popgate withdraw`, has it as well.
 */
export class Spare {
  readonly #map: AccessMap;
  readonly #source: string;
  readonly #index: string | undefined;

  constructor(map: AccessMap) {
    this.#map = map;
    // Two types of table may share a source, and none must get the other's index.
    // But one table's serves it under other settings too: what emptied it before must not be lost with a new tool.
    const token = createHash("sha256").update(map.name).digest("hex");
    const name = `.${basename(map.source)}.popgate-empty-${token.slice(0, 8)}`;
    this.#source = join(dirname(map.source), name);
    this.#index = map.index?.(this.#source).makes;
  }

  /** Whether it is there as popgate made it: nobody else can make files of ours, but for hard links to them. */
  get stands(): boolean {
    return this.#fault === undefined;
  }

  /** Gives a built empty map its names. */
  keep({ aside, index }: Built): void {
    if (index !== undefined && this.#index !== undefined) renameSync(index.makes, this.#index);
    renameSync(aside, this.#source);
  }

  /**
   * Renames it over the live map, at once and without a pause, so that nothing comes between the two. `hasSource` as found there.
   * @throws PublishError if it does not stand; a system error if the directory cannot be written
   */
  install(hasSource: boolean): void {
    const fault = this.#fault;
    if (fault !== undefined) throw new PublishError(fault, exit.tempFail);
    const { source, index } = this.#map;
    if (!hasSource) renameSync(this.#source, source);
    if (this.#index !== undefined) {
      const { live = this.#index } = index?.(source) ?? {};
      makeLater(this.#index, live);
      renameSync(this.#index, live);
    }
    if (hasSource) renameSync(this.#source, source);
  }

  /** Removes it: nothing is left to be emptied. */
  async remove(): Promise<void> {
    await rm(this.#source, { force: true });
    if (this.#index !== undefined) await rm(this.#index, { force: true });
  }

  get #fault(): string | undefined {
    const empty = [...this.#map.render([])].join("");
    for (const file of [this.#source, this.#index]) {
      if (file === undefined) continue;
      const status = lstatSync(file, { throwIfNoEntry: false });
      if (status === undefined) return "no empty map is prepared";
      if (!isOurs(status)) return `${file} was not made by popgate`;
      if (file === this.#source && status.size !== empty.length) return `${file} is not empty`;
    }
    return readFileSync(this.#source, "latin1") === empty
      ? undefined
      : `${this.#source} is not empty`;
  }
}

function isOurs(status: Stats): boolean {
  const us = process.geteuid?.() ?? 0;
  return status.isFile() && status.uid === us && status.nlink === 1 && status.size > 0;
}
