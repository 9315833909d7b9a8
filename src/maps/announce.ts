/** The step after the rename: has an MTA that does not look by itself told to read the new version. */
import type { Clock } from "../clock.ts";
import { exit, PublishError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import type { AccessMap, Announcement } from "./map.ts";

interface AnnouncerParts {
  readonly map: Pick<AccessMap, "name" | "announcement">;
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds for one run of the tool. */
  readonly deadline: number;
}

/**
 * Milliseconds for which it must stay true that no MTA runs, and between two looks. One that is just starting has read the old
 * version already, and does not listen yet: an OpenSMTPD needs a tenth of a second.
 */
const doubt = 1000;
const look = 250;

/** Tells the MTA of one map; says nothing where the MTA looks by itself. */
export class Announcer {
  readonly #parts: AnnouncerParts;
  #nobody: string | undefined;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** True if no MTA could be told of the last version: one that is just starting may have read the former. */
  get unheard(): boolean {
    return this.#nobody !== undefined;
  }

  /**
   * Tells it. If nobody is there to be told it is `unheard`: whoever starts reads the new version.
   * @throws PublishError if the MTA runs and goes on with the old version, its code `config` if it always will
   */
  async tell(): Promise<void> {
    const { map, log } = this.#parts;
    const nobody = await this.#tellPatiently();
    if (nobody !== undefined && this.#nobody === undefined) {
      log.warning("nobody reads the table now", { table: map.name, reason: nobody });
    }
    if (nobody === undefined && this.#nobody !== undefined) {
      log.info("the table is read", { table: map.name });
    }
    this.#nobody = nobody;
  }

  async #tellPatiently(): Promise<string | undefined> {
    const {
      clock,
      map: { announcement },
    } = this.#parts;
    if (announcement === undefined) return undefined;
    const end = clock.monotonic() + doubt;
    for (;;) {
      const nobody = await announceOnce(announcement, this.#parts);
      if (nobody === undefined || clock.monotonic() >= end) return nobody;
      await new Promise<void>((resolve) => {
        clock.after(look, resolve);
      });
    }
  }
}

/**
 * Tells an MTA once; gives undefined, or why nobody could be told.
 * @throws as `Announcer.tell` does
 */
export async function announceOnce(
  announcement: Announcement,
  { run, deadline }: Pick<AnnouncerParts, "run" | "deadline">,
): Promise<string | undefined> {
  const [tool] = announcement.argv;
  const outcome = await run(announcement.argv, { deadline });
  if (outcome.missing) {
    throw new PublishError(`there is no program ${tool}; install it, or set tool`, exit.config);
  }
  const heard = announcement.judge(outcome);
  if (heard.is !== "failed") return heard.is === "nobody" ? heard.why : undefined;
  throw new PublishError(`${tool}: ${heard.why}`, heard.forGood ? exit.config : exit.tempFail);
}
