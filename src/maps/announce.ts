/** The step after the rename: has an MTA that does not look by itself told to read the new version. */
import type { Clock } from "../clock.ts";
import { exit, PublishError } from "../errors.ts";
import type { Run } from "../run.ts";
import type { Announcement } from "./map.ts";

interface AnnounceParts {
  readonly run: Run;
  readonly clock: Clock;
  /** Milliseconds for one run of the tool. */
  readonly deadline: number;
}

/**
 * Milliseconds for which it must stay true that no MTA runs, and between two looks. One that is just starting has read the old
 * version already, and does not listen yet: an OpenSMTPD needs a tenth of a second.
 */
const doubt = 1000;
const look = 250;

/**
 * Tells it, and gives undefined, or why nobody could be told: then whoever starts reads the new version.
 * @throws PublishError if the MTA runs and goes on with the old version, its code `config` if it always will
 */
export async function announce(
  announcement: Announcement,
  parts: AnnounceParts,
): Promise<string | undefined> {
  const { clock } = parts;
  const end = clock.monotonic() + doubt;
  for (;;) {
    const nobody = await announceOnce(announcement, parts);
    if (nobody === undefined || clock.monotonic() >= end) return nobody;
    await new Promise<void>((resolve) => {
      clock.after(look, resolve);
    });
  }
}

/** The same, but takes the first answer. */
export async function announceOnce(
  announcement: Announcement,
  { run, deadline }: Pick<AnnounceParts, "run" | "deadline">,
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
