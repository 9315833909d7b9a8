/** Shows on a terminal how far a long reading has come: one line that is written over. */
import { statSync } from "node:fs";
import type { Outside } from "./command.ts";
import { counted } from "./summary.ts";

/** How often it changes, in ms; what is read sooner is not shown at all. */
const pause = 250;

const clear = "\r\u001B[K";

export class Gauge {
  readonly #outside: Outside;
  #shownAt: number;
  #isShown = false;

  constructor(outside: Outside) {
    this.#outside = outside;
    this.#shownAt = outside.clock.monotonic();
  }

  /** Gives what is to be told how many bytes of a log were read; the number of logins is asked for when it is shown. */
  of(file: string, logins: () => number): (bytes: number) => void {
    const { clock, tell, isTerminal } = this.#outside;
    if (!isTerminal) return () => {};
    const size = file === "-" || file.endsWith(".gz") ? undefined : sizeOf(file);
    return (bytes) => {
      const now = clock.monotonic();
      if (now - this.#shownAt < pause) return;
      this.#shownAt = now;
      this.#isShown = true;
      const share =
        size === undefined || size === 0 ? "" : `${String(Math.floor((100 * bytes) / size))} %, `;
      const read = `${share}${(bytes / 1e6).toFixed(0)} MB`;
      tell(`${clear}${file}: ${read}, ${counted(logins(), "login")}`);
    };
  }

  /** Takes it away, before something else is told. */
  clear(): void {
    if (this.#isShown) this.#outside.tell(clear);
    this.#isShown = false;
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
