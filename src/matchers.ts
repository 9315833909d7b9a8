/** The matchers of all sources, each with what it remembers of the lines that its source has read. */
import { isDeepStrictEqual } from "node:util";
import { isDefault, type Adapter } from "./adapters/adapter.ts";
import { Matcher } from "./adapters/matcher.ts";
import type { Clock } from "./clock.ts";
import type { OpenLine, OpenLinesBySource } from "./model.ts";
import { nameOf, type SourceSettings } from "./sources/settings.ts";

interface MatchersParts {
  readonly clock: Clock;
  /** Of stamps that do not tell theirs, where a source does not say. */
  readonly zone: string;
}

/** One matcher for each source of the config. */
export class Matchers {
  readonly #parts: MatchersParts;
  #adapters: readonly Adapter[];
  readonly #bySource = new Map<string, Matcher>();
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
  create(settings: SourceSettings): Matcher {
    const { clock, zone } = this.#parts;
    const name = nameOf(settings);
    const named = settings.adapters;
    const matcher = new Matcher(
      this.#adapters.filter((one) => named?.includes(one.name) ?? isDefault(one)),
      settings.type === "journal"
        ? { zone }
        : { zone: settings.zone ?? zone, format: settings.format },
    );
    matcher.restore(this.#openOf(name), clock.now());
    this.#bySource.set(name, matcher);
    return matcher;
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
