/** Watches the name of a log: it appears, vanishes, or means another file. */
import { dirname } from "node:path";
import { watch } from "chokidar";
import type { FSWatcher } from "chokidar";
import { codeOf, reasonOf } from "../errors.ts";
import { inodeNamed } from "./named.ts";

interface Parts {
  readonly path: string;
  /** Called when something may have happened. */
  readonly hint: () => void;
  /** Called with the reason when the kernel refuses to watch. */
  readonly refused: (reason: string) => void;
}

/** One name, in whatever directory its path leads to. */
export class NameWatcher {
  readonly #parts: Parts;
  #watcher: FSWatcher | undefined;
  /** The directory and the file that it was started for. */
  #named: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Starts; to be called again when the name means another file. Where it is missed for a moment chokidar watches the
   * directory, and goes on to list all of it for each line that is written, until it is told anew that there is a file.
   */
  watch(): void {
    const { path, hint, refused } = this.#parts;
    const named = `${inodeNamed(dirname(path)) ?? ""} ${inodeNamed(path) ?? ""}`;
    if (this.#watcher !== undefined) {
      if (named === this.#named) return;
      void closeQuietly(this.#watcher);
    }
    this.#named = named;
    this.#watcher = watch(path, { ignoreInitial: true, atomic: false });
    this.#watcher.on("all", hint).on("error", (thrown) => {
      // Whatever else fails there is seen by the next look at the name.
      if (["ENOSPC", "EMFILE", "ENFILE"].includes(codeOf(thrown) ?? "")) refused(reasonOf(thrown));
    });
  }

  async close(): Promise<void> {
    if (this.#watcher !== undefined) await closeQuietly(this.#watcher);
  }
}

/** What it has begun may still fail; it forgets its listeners when it is closed, and an error without one ends the process. */
async function closeQuietly(watcher: FSWatcher): Promise<void> {
  const closing = watcher.close();
  watcher.on("error", () => undefined);
  await closing;
}
