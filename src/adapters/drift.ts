/** Notices that a daemon has changed its words: its lines go on, and its logins do not. Pure, but for what it remembers. */
import { tagsOf, type Adapter } from "./adapter.ts";
import { closestFor, shapeOf, speaksOfOther } from "./near-miss.ts";
import type { Closest } from "./near-miss.ts";
import type { Entry } from "../model.ts";

const hour = 3_600_000;
const week = 168 * hour;

/** So many lines of each program are looked at from one step to the next: a sample tells enough. */
export const sample = 50;

/** Characters of a message that are looked at: no more of one that a stranger has made long. */
const longest = 1024;

/** So many near misses without a login between them are more than a stranger's joke, or another service's logins. */
const fewestMisses = 10;

/** What is usual is learned up to so many: strangers must not teach that all is usual. */
const mostUsual = 100;

/** So many lines that speak of no failure, and no login among them, are worth a thought. */
const fewestLines = 300;

/** What is to be told of one adapter. */
export type Sign =
  | {
      readonly kind: "misses";
      readonly adapter: string;
      /** Near misses since the last login. */
      readonly count: number;
      /** Of one of them, and where the pattern that comes closest breaks. */
      readonly shape: string;
      readonly closest: Closest;
    }
  | {
      readonly kind: "silence";
      readonly adapter: string;
      /** Since the last login, in ms. */
      readonly ms: number;
      /** Lines since then, or since it was told: as many as were looked at. */
      readonly lines: number;
    }
  | { readonly kind: "well"; readonly adapter: string };

/** What one adapter has come to; all times are monotonic ms. */
class Watch {
  readonly adapter: string;
  /** It had logins, be it in what was written before the start. */
  known = false;
  #login: number | undefined;
  /** The usual time between two logins, and the longest one of late. */
  #usual: number | undefined;
  #longest = 0;
  /** Near misses since the last login, and those of them that have not been told. */
  #misses = 0;
  /** All of them since the start. */
  total = 0;
  #untold = 0;
  /** So many near misses between two logins have turned out to mean nothing. */
  #harmless = 0;
  #example: Pick<Extract<Sign, { kind: "misses" }>, "shape" | "closest"> | undefined;
  #lines = 0;
  #line = -Infinity;
  #told = -Infinity;
  #state: "well" | "ill" | "healed" = "well";

  constructor(adapter: string) {
    this.adapter = adapter;
  }

  login(now: number): void {
    if (this.#login !== undefined) {
      const gap = now - this.#login;
      this.#usual = this.#usual === undefined ? gap : this.#usual + (gap - this.#usual) / 32;
      this.#longest = Math.max(gap, this.#longest * 2 ** (-gap / week));
    }
    this.known = true;
    this.#login = now;
    this.#harmless = Math.max(this.#harmless, Math.min(this.#misses, mostUsual));
    this.forgive();
    if (this.#state === "ill") this.#state = "healed";
  }

  /** The program that it shares with another adapter has written a login of that one. */
  forgive(): void {
    this.#misses = this.#untold = this.#lines = 0;
    this.#example = undefined;
  }

  line(now: number): void {
    this.#lines++;
    this.#line = now;
  }

  miss(message: string, closest: Closest): void {
    this.#misses++;
    this.total++;
    this.#untold++;
    this.#example ??= { shape: copied(shapeOf(message)), closest };
  }

  sign(now: number): Sign | undefined {
    // What was read before the start has no place on this clock.
    if (this.known) this.#login ??= now;
    if (this.#state === "healed") {
      this.#state = "well";
      return { kind: "well", adapter: this.adapter };
    }
    if (now - this.#told < hour) return undefined;
    const sign = this.#missing() ?? this.#silent();
    if (sign === undefined) return undefined;
    this.#told = now;
    this.#untold = this.#lines = 0;
    this.#state = "ill";
    return sign;
  }

  #missing(): Sign | undefined {
    if (this.#example === undefined) return undefined;
    if (this.#untold < Math.max(fewestMisses, 3 * this.#harmless)) return undefined;
    return { kind: "misses", adapter: this.adapter, count: this.#misses, ...this.#example };
  }

  #silent(): Sign | undefined {
    if (this.#login === undefined || this.#lines < fewestLines) return undefined;
    // Nights and weekends come again, and strangers do not sleep: what is usual then is no sign either.
    const patience = Math.max(hour, 20 * (this.#usual ?? 0), 2 * this.#longest);
    const ms = this.#line - this.#login;
    if (ms < patience) return undefined;
    return { kind: "silence", adapter: this.adapter, ms, lines: this.#lines };
  }
}

/** Watches the adapters of one source. It grants nothing and refuses nothing: strangers may raise a sign. */
export class Drift {
  readonly #watches = new Map<string, Watch>();
  /** By program: its adapters. */
  readonly #adapters = new Map<string, Adapter[]>();
  /** By adapter: those that have a program in common with it. */
  readonly #kin = new Map<string, readonly Watch[]>();
  /** By program: lines that were looked at since the last step. */
  readonly #looked = new Map<string, number>();

  constructor(adapters: readonly Adapter[]) {
    for (const adapter of adapters) {
      this.#watches.set(adapter.name, new Watch(adapter.name));
      for (const [tag] of tagsOf(adapter)) {
        this.#adapters.set(tag, [...(this.#adapters.get(tag) ?? []), adapter]);
      }
    }
    for (const adapter of adapters) {
      const kin = tagsOf(adapter).flatMap(([tag]) => this.#adapters.get(tag) ?? []);
      const names = new Set(kin.map(({ name }) => name).filter((name) => name !== adapter.name));
      this.#kin.set(adapter.name, this.#watchesOf([...names]));
    }
  }

  /** Takes the adapter of a login, and the present in monotonic ms; undefined if it was written before its source was live. */
  login(adapter: string, now: number | undefined): void {
    const watch = this.#watches.get(adapter);
    if (watch === undefined) return;
    if (now === undefined) {
      watch.known = true;
      return;
    }
    watch.login(now);
    for (const other of this.#kin.get(adapter) ?? []) other.forgive();
  }

  /** Takes the entry of a line that is no login, if it has one, and the present in monotonic ms. Only known programs count. */
  look(entry: Entry | undefined, now: number): void {
    if (entry === undefined) return;
    const { program } = entry;
    const adapters = this.#adapters.get(program);
    if (adapters === undefined) return;
    const looked = this.#looked.get(program) ?? 0;
    if (looked >= sample) return;
    this.#looked.set(program, looked + 1);
    const message = entry.message.slice(0, longest);
    // Whoever guesses passwords makes lines at any hour: they do not tell whether anybody logs in.
    if (speaksOfOther(message)) return;
    for (const watch of this.#watchesOf(adapters.map(({ name }) => name))) watch.line(now);
    const closest = closestFor(adapters, { ...entry, message });
    if (closest !== undefined) this.#watches.get(closest.adapter)?.miss(message, closest);
  }

  /** Gives what is to be told at `now` in monotonic ms: of one adapter something bad once an hour at most. Call it often. */
  step(now: number): readonly Sign[] {
    this.#looked.clear();
    return [...this.#watches.values()].flatMap((watch) => watch.sign(now) ?? []);
  }

  /** The near misses since the start by adapter, as many as were looked at. */
  misses(): ReadonlyMap<string, number> {
    return new Map([...this.#watches].map(([name, { total }]) => [name, total]));
  }

  #watchesOf(names: readonly string[]): readonly Watch[] {
    return names.flatMap((name) => this.#watches.get(name) ?? []);
  }
}

/** A substring keeps the whole line it was cut from alive. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
