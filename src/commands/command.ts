/** What every command is given by main, and nothing else of the outside. */
import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Run, Spawn } from "../run.ts";
import type { Signals } from "../signals.ts";

export interface Outside {
  readonly clock: Clock;
  readonly run: Run;
  readonly spawn: Spawn;
  readonly signals: Signals;
  /** Standard input. */
  readonly input: () => Readable;
  /** Data, to standard output. */
  readonly print: (text: string) => void;
  /** Talk, to standard error. */
  readonly tell: (text: string) => void;
  /** The terminal that shows the data, if one does. */
  readonly screen: { columns(): number; rows(): number } | undefined;
  /** Whether a person sees what is told, and no data between. */
  readonly isTerminal: boolean;
  readonly log: (json: boolean) => Log;
  /** The variables of the environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
}
