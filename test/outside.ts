/** What main gives a command, gathered instead of printed. */
import { PassThrough } from "node:stream";
import { systemClock, type Clock } from "../src/clock.ts";
import type { Outside } from "../src/commands/command.ts";
import { createLog } from "../src/log.ts";
import { run, spawn, type Run, type Spawn } from "../src/run.ts";

/** An outside whose output can be read, and whose signals a test sends. */
export class GatheringOutside implements Outside {
  clock: Clock = systemClock;
  run: Run = run;
  spawn: Spawn = spawn;
  /** What a test writes into it, a command reads from standard input. */
  readonly stdin = new PassThrough();
  readonly input = () => this.stdin;
  isTerminal = false;
  environment: Record<string, string | undefined> = {};
  readonly pid = process.pid;
  screen: Outside["screen"] = undefined;
  printed = "";
  told = "";
  stop = () => {};
  reload = () => {};
  readonly signals = {
    onStop: (callback: () => void) => void (this.stop = callback),
    onReload: (callback: () => void) => void (this.reload = callback),
  };

  readonly print = (text: string) => void (this.printed += text);
  readonly tell = (text: string) => void (this.told += text);
  readonly log = (json: boolean) => createLog(this.clock, this.tell, json);
}
