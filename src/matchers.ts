/** The matchers of all sources, each with what it remembers of the lines that its source has read. */
import { isDeepStrictEqual } from "node:util";
import { enabled, type Adapter } from "./adapters/adapter.ts";
import { Drift, sample, type Sign } from "./adapters/drift.ts";
import { isLogin, Matcher } from "./adapters/matcher.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { OpenLine, OpenLinesBySource } from "./model.ts";
import { nameOf, type SourceSettings } from "./sources/settings.ts";

/** Characters of a pattern: where it breaks, and a little of what it wants there. */
const longestShown = 60;

interface MatchersParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Of stamps that do not tell theirs, where a source does not say. */
  readonly zone: string;
}

/** A daemon that seems to have changed its words, and the source in which it shows. */
export interface Ailing {
  readonly source: string;
  readonly sign: Exclude<Sign, { kind: "well" }>;
}

/** What a source's lines go through. */
export type SourceMatcher = Pick<Matcher, "programs" | "wants" | "timeOf" | "match">;

/** One matcher for each source of the config. */
export class Matchers {
  readonly #parts: MatchersParts;
  #adapters: readonly Adapter[];
  readonly #bySource = new Map<string, Matcher>();
  readonly #drifts = new Map<string, Drift>();
  /** What was told last of an adapter in a source, unless it is over: by both names. */
  readonly #signs = new Map<string, Ailing>();
  /** First lines of the state that was loaded, until their source has a matcher. */
  #former: OpenLinesBySource = {};

  /** Takes all adapters that there are. */
  constructor(parts: MatchersParts, adapters: readonly Adapter[]) {
    this.#parts = parts;
    this.#adapters = adapters;
  }

  /** Says whether the adapters are others than before; the matchers that are made from now on have these. */
  change(adapters: readonly Adapter[]): boolean {
    const isOther = !isDeepStrictEqual(adapters, this.#adapters);
    this.#adapters = adapters;
    return isOther;
  }

  /** Takes the first lines of a state, for the sources that go on where it was saved. */
  restore(open: OpenLinesBySource): void {
    this.#former = open;
  }

  /** Makes the matcher of a source that is to be read. It goes on with what the source's former one left open. */
  create(settings: SourceSettings): SourceMatcher {
    const { clock, zone } = this.#parts;
    const name = nameOf(settings);
    const adapters = enabled(this.#adapters, settings.adapters);
    const matcher = new Matcher(
      adapters,
      settings.type === "journal"
        ? { zone }
        : { zone: settings.zone ?? zone, format: settings.format },
    );
    matcher.restore(this.#openOf(name), clock.now());
    this.#bySource.set(name, matcher);
    const drift = new Drift(adapters);
    this.#drifts.set(name, drift);
    return {
      programs: matcher.programs,
      wants: (bytes, from, end) => matcher.wants(bytes, from, end),
      timeOf: (bytes, now) => matcher.timeOf(bytes, now),
      match: (line, now) => {
        const match = matcher.match(line, now);
        // Nobody knows when the lines of a pipe were written: all count as new.
        const isNew = line.live || settings.type === "stdin";
        if (isLogin(match)) drift.login(match.adapter, isNew ? clock.monotonic() : undefined);
        else if (isNew) drift.look(matcher.entryOf(line), clock.monotonic());
        return match;
      },
    };
  }

  /** Tells which daemons seem to have changed their words, and looks at some more of their lines. Call it every few seconds. */
  watch(): void {
    const now = this.#parts.clock.monotonic();
    for (const matcher of this.#bySource.values()) matcher.letStray(sample);
    for (const [source, drift] of this.#drifts) {
      for (const sign of drift.step(now)) this.#tell(source, sign);
    }
  }

  /** The daemons that seem to have changed their words, as it was told last. */
  get ailing(): readonly Ailing[] {
    return [...this.#signs.values()].filter(({ source }) => this.#drifts.has(source));
  }

  /** Near misses by adapter, of all sources: as many as were looked at. */
  nearMisses(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const drift of this.#drifts.values()) {
      for (const [adapter, count] of drift.misses()) all[adapter] = (all[adapter] ?? 0) + count;
    }
    return all;
  }

  #tell(source: string, sign: Sign): void {
    const { log } = this.#parts;
    const key = `${sign.adapter} ${source}`;
    if (sign.kind === "well") this.#signs.delete(key);
    else this.#signs.set(key, { source, sign });
    const whose = { adapter: sign.adapter, source };
    switch (sign.kind) {
      case "misses": {
        const { count, shape, closest } = sign;
        return log.warning("near misses, but no login", {
          ...whose,
          count,
          shape,
          breaks_at: closest.at,
          pattern_wants: closest.expected.slice(0, longestShown),
        });
      }
      case "silence": {
        const minutes = Math.floor(sign.ms / 60_000);
        return log.warning("lines, but no login", { ...whose, minutes, lines: sign.lines });
      }
      case "well":
        return log.info("logins again", whose);
    }
  }

  /** The first lines whose second did not come yet: to be saved with the checkpoints of the same moment. */
  open(): OpenLinesBySource {
    const names = new Set([...Object.keys(this.#former), ...this.#bySource.keys()]);
    const all = [...names].map((name) => [name, this.#openOf(name)] as const);
    return Object.fromEntries(all.filter(([, lines]) => lines.length > 0));
  }

  #openOf(name: string): readonly OpenLine[] {
    const matcher = this.#bySource.get(name);
    return matcher === undefined
      ? (this.#former[name] ?? [])
      : matcher.openLines(this.#parts.clock.now());
  }
}
