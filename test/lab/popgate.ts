/** popgate itself, as its user runs it: the built program, a config file, signals, and commands beside it. */

import { join } from "node:path";
import type { Progress } from "../../src/model.ts";
import { type Answer, type Argv, Child, type Ended, answer } from "./child.ts";
import { type Daemon, type Lab, project, tail } from "./lab.ts";

/** What `popgate` on the command line is. */
export const program = join(project, "dist", "main.js");

/** One `[[source]]` or `[[map]]` of the config. */
type Section = Readonly<Record<string, Value | Readonly<Record<string, Value>>>>;
type Value = string | number | readonly string[];

export interface Settings {
  readonly ttl: string;
  readonly fail_open_limit?: string;
  readonly audit?: string;
  readonly source: readonly Section[];
  readonly map: readonly Section[];
  readonly guard?: Section;
  readonly control?: Section;
}

/** What `popgate list --json` says of one grant. */
export interface Listed {
  readonly client: string;
  readonly user: string;
  readonly service: string;
  readonly expires: string;
}

/** popgate. May be started again after its end, however that came. */
export class Popgate implements Daemon {
  readonly name = "popgate";
  readonly config: string;
  readonly #lab: Lab;
  readonly #name: string;
  readonly #inside: (argv: Argv) => Argv;
  #child: Child | undefined;

  /** Two of them in one lab need two names. `inside` gives the command that runs one in a place of its own. */
  constructor(lab: Lab, name = "popgate", inside = (argv: Argv): Argv => argv) {
    this.#lab = lab;
    this.#name = name;
    this.#inside = inside;
    this.config = lab.path(name, "popgate.toml");
  }

  /** Writes the config file: before the start, or before a reload. */
  async configure(settings: Settings): Promise<void> {
    await this.#lab.file(`${this.#name}/popgate.toml`, this.#toml(settings));
  }

  /** Starts it and waits until it says that it is ready. */
  async start(): Promise<void> {
    this.#child = new Child(this.#inside(this.argv("run")));
    // It may have a hundred thousand logins to read before.
    await this.#running.line(/^ready/, { within: 120_000 });
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  /** Sends a signal; for those that end it, wait for `ended`. */
  signal(name: NodeJS.Signals): void {
    this.#running.signal(name);
  }

  get pid(): number {
    return this.#running.pid;
  }

  get ended(): Promise<Ended> {
    return this.#running.ended;
  }

  /** How far it has read its logs, as `popgate list --sources` has it. */
  async sources(): Promise<Progress[]> {
    const { stdout } = await this.command("list", "--sources", "--json");
    const lines = stdout.split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Progress);
  }

  /** What it has told on standard error since its last start. */
  get lines(): readonly string[] {
    return this.#running.lines;
  }

  /** Waits for a line that it tells; with `from`, only for one after that many. */
  told(pattern: RegExp, from = 0): Promise<string> {
    return this.#running.line(pattern, { from });
  }

  /** Runs one of its other commands on the same config. */
  command(...argv: string[]): Promise<Answer> {
    return answer(this.argv(...argv));
  }

  /** How one of its commands is run on the same config. */
  argv(...argv: string[]): Argv {
    return [process.execPath, program, ...argv, "--config", this.config];
  }

  /** The live grants, as `popgate list` has them. */
  async list(): Promise<Listed[]> {
    const { stdout } = await this.command("list", "--json");
    const lines = stdout.split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Listed);
  }

  said(): string {
    return tail(this.#child?.lines.join("\n") ?? "");
  }

  get #running(): Child {
    if (this.#child === undefined) throw new Error("popgate was not started");
    return this.#child;
  }

  #toml(settings: Settings): string {
    const { ttl, fail_open_limit = "60s", audit, source, map, guard = {}, control } = settings;
    return [
      `ttl = ${JSON.stringify(ttl)}`,
      `fail_open_limit = ${JSON.stringify(fail_open_limit)}`,
      `state_dir = ${JSON.stringify(this.#lab.path(this.#name, "state"))}`,
      ...(audit === undefined ? [] : [`audit = ${JSON.stringify(audit)}`]),
      ...source.map((section) => `[[source]]\n${toml(section)}`),
      ...map.map((section) => `[[map]]\n${toml(section)}`),
      // The clients of a lab are loopback addresses, which popgate refuses for good reason.
      `[guard]\n${toml({ allow: ["127.0.0.0/8", "::1/128"], ...guard })}`,
      ...(control === undefined ? [] : [`[control]\n${toml(control)}`]),
    ].join("\n");
  }
}

function toml(section: Section): string {
  return Object.entries(section)
    .map(([key, value]) => `${key} = ${valueText(value)}\n`)
    .join("");
}

// A JSON text, number or list of texts is one in TOML too.
function valueText(value: Section[string]): string {
  if (typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${key} = ${JSON.stringify(inner)}`);
  return `{ ${pairs.join(", ")} }`;
}
