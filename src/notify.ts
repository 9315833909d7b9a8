/** Tells systemd how popgate does, through `systemd-notify`: Node has no Unix datagrams. Silent where nobody listens. */
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Run } from "./run.ts";

/** What is asked of whatever it is that lives. */
export interface Life {
  /** Monotonic ms: when it last showed that it works. */
  beat(): number;
  /** How it does, in a line for people. */
  summary(): string;
}

interface NotifierParts {
  readonly clock: Clock;
  readonly run: Run;
  readonly log: Log;
  /** What systemd said: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
}

/** Milliseconds between two messages, unless the watchdog wants them earlier: each one is a child process. */
const pace = 30_000;
/** The watchdog hears so many times before it bites. */
const barks = 3;
/** Whoever has been silent for so many ms is dead: longer than all that a deadline ends, such as a map tool that hangs. */
const longestSilence = 120_000;
/** systemd waits for so many ms more for a start that goes on, such as one that has a long log to read. */
const extension = 3 * pace;
/** Milliseconds that a message may take. */
const deadline = 10_000;

/** One message after the other, in the words of sd_notify(3). */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #isOn: boolean;
  /** Milliseconds; undefined without a watchdog. */
  readonly #watchdog: number | undefined;
  #sending: Promise<void> = Promise.resolve();
  #cancel = () => {};
  #told = "";
  #failed = false;
  #ends = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#isOn = (parts.environment["NOTIFY_SOCKET"] ?? "") !== "";
    this.#watchdog = watchdogOf(parts);
  }

  /** A start goes on until it is ready: systemd's patience with it must not end before. */
  starting(): void {
    this.#every(pace, () => this.#send(`EXTEND_TIMEOUT_USEC=${String(extension * 1000)}`));
  }

  /** It is ready, again perhaps. From now on the watchdog is fed as long as this lives. */
  ready(life: Life): void {
    // A start or a reload may come to its end after the stop began.
    if (this.#ends) return;
    this.#told = life.summary();
    this.#send("READY=1", `STATUS=${this.#told}`);
    const watchdog = this.#watchdog;
    this.#every(Math.min(pace, (watchdog ?? Infinity) / barks), () => {
      const { clock, log } = this.#parts;
      const silence = clock.monotonic() - life.beat();
      if (watchdog !== undefined && silence > longestSilence) {
        const seconds = Math.round(silence / 1000);
        log.error("something hangs, the watchdog is not fed", { seconds });
        return;
      }
      const summary = life.summary();
      const news = summary === this.#told ? [] : [`STATUS=${summary}`];
      this.#told = summary;
      this.#send(...(watchdog === undefined ? [] : ["WATCHDOG=1"]), ...news);
    });
  }

  /** It reads its config again; `ready` comes after it, whatever came of that. */
  reloading(): void {
    const microseconds = Math.floor(this.#parts.clock.monotonic() * 1000);
    this.#send("RELOADING=1", `MONOTONIC_USEC=${String(microseconds)}`);
  }

  /** It ends. Resolves when that was told, with all that was said before. */
  stopping(): Promise<void> {
    this.#ends = true;
    this.#cancel();
    this.#send("STOPPING=1", "STATUS=emptying the tables");
    return this.#sending;
  }

  #every(ms: number, work: () => void): void {
    this.#cancel();
    if (!this.#isOn) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#every(ms, work);
      work();
    });
  }

  #send(...assignments: string[]): void {
    if (!this.#isOn || assignments.length === 0) return;
    // A line feed in a name or a reason would begin another assignment.
    const lines = assignments.map((text) => text.replace(/\p{Cc}/gu, " "));
    this.#sending = this.#sending.then(async () => {
      const { run, log } = this.#parts;
      const { ok, reason } = await run(["systemd-notify", ...lines], { deadline });
      // Once: systemd is told again and again, and finds out by itself.
      if (!ok && !this.#failed) log.error("systemd cannot be told", { reason });
      this.#failed = !ok;
    });
  }
}

/** The watchdog's time in ms, if it watches this process: sd_watchdog_enabled(3). */
function watchdogOf({ environment, pid }: NotifierParts): number | undefined {
  const { WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: watched = String(pid) } = environment;
  return /^[1-9]\d{0,15}$/.test(microseconds) && watched === String(pid)
    ? Number(microseconds) / 1000
    : undefined;
}
