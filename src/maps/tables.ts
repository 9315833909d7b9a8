/** All tables that popgate has a hand in: those of the config, and those that it once published and must empty. */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Client } from "../client.ts";
import { inTime, type Clock } from "../clock.ts";
import { exit, failuresOf, KnownError, PublishError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import { emptied, hurry } from "./emptying.ts";
import type { Trouble } from "./failure.ts";
import { filesOf, foundAt, isGone, liveOf } from "./files.ts";
import type { AccessMap, Excluded, MapSettings } from "./map.ts";
import { Publisher, type Change } from "./publisher.ts";
import { UnwritableTables } from "./unwritable.ts";
import { Writes } from "./writes.ts";
import { MapWriter } from "./writer.ts";

interface TablesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: Run;
  /** The clients that the configured tables must hold at this moment, but for those whose grants end within so many ms. */
  readonly clients: (ahead: number) => Iterable<Client>;
  /** What must not relay although one of its /64 is granted, as it is at this moment; nothing is granted a /64 if absent. */
  readonly excluded?: (() => Excluded) | undefined;
  /** How much sooner than at its end a grant may leave a table, in ms. */
  readonly mostAhead: () => number;
  /** Milliseconds that a client whose grant is over may stay in a table that cannot be written. */
  readonly failOpenLimit: () => number;
  /** Called when a table that is no longer configured is empty, and remembered no more. */
  readonly forgotten: () => void;
  /** Called for each client that came, and each table: so many ms later the table has it. */
  readonly published?: ((ms: number) => void) | undefined;
}

/** How one table fares. */
export interface TableHealth {
  readonly map: AccessMap;
  /** Once published and no longer configured. */
  readonly orphan: boolean;
  readonly trouble: Trouble | undefined;
  /** Why running MTAs may not see what is written; undefined if they do. */
  readonly unseen: string | undefined;
  readonly writes: Writes;
}

interface Table {
  readonly map: AccessMap;
  readonly writer: MapWriter;
  readonly writes: Writes;
  readonly publisher: Publisher;
  /** Once published and no longer configured: it is emptied, and then forgotten. */
  readonly orphan: boolean;
  /** Resolves when it was published for the first time. */
  readonly published: Promise<void>;
}

/** Milliseconds that a stop may take to empty the tables, and between two tries. */
const patience = 2500;
const retry = 250;

/** The tables, each with its publisher. */
export class Tables {
  readonly #parts: TablesParts;
  /** By their `type:path`. */
  readonly #tables = new Map<string, Table>();
  readonly #unwritable: UnwritableTables;

  constructor(parts: TablesParts) {
    this.#parts = parts;
    this.#unwritable = new UnwritableTables(parts.log, () => {
      const maps = [...this.#tables.values()].map(({ map }) => map);
      return new Set(maps.flatMap(filesOf));
    });
  }

  /** Every table that may hold a client. */
  get remembered(): MapSettings[] {
    return [
      ...[...this.#tables.values()].map(({ map }) => map.settings),
      ...this.#unwritable.settings,
    ];
  }

  /** The same, with those that soon may. */
  rememberedWith(maps: readonly AccessMap[]): MapSettings[] {
    const fresh = maps.filter(({ name }) => !this.#tables.has(name));
    return [...this.remembered, ...fresh.map(({ settings }) => settings)];
  }

  /** Takes the maps of a config, and tables that were published before: what is not configured any more becomes an orphan. */
  configure(maps: readonly AccessMap[], published: readonly MapSettings[]): void {
    const configured = new Set(maps.map(({ name }) => name));
    const former = [...this.#tables.values()].map(({ map }) => map);
    for (const map of [...former, ...this.#unwritable.sort(published)]) {
      if (!configured.has(map.name)) this.#put(map, true);
    }
    for (const map of maps) this.#put(map, false);
  }

  /** How each table fares. */
  health(): TableHealth[] {
    return [...this.#tables.values()].map(({ map, orphan, publisher, writer, writes }) => ({
      map,
      orphan,
      trouble: publisher.trouble,
      unseen: writer.fault,
      writes,
    }));
  }

  /** A sentence for each former table that this version cannot write. */
  get unwritable(): readonly string[] {
    return this.#unwritable.faults;
  }

  /** @throws PublishError if there is such a table */
  requireWritable(): void {
    this.#unwritable.requireNone();
  }

  /** The names of the configured tables. */
  get configured(): string[] {
    return [...this.#tables.values()].filter(({ orphan }) => !orphan).map(({ map }) => map.name);
  }

  /** The names of those that leave this client out, in whose /64 this is excluded. */
  leavingOut(client: Client, excluded: readonly string[]): string[] {
    return this.configured.filter(
      (name) => this.#tables.get(name)?.map.leavesOut?.(client, excluded) === true,
    );
  }

  /** Monotonic ms: when the longest write of those under way began; Infinity if none is. */
  beat(): number {
    return Math.min(...[...this.#tables.values()].map(({ publisher }) => publisher.beat));
  }

  /** Says that the clients changed; the tables follow at their pace. */
  request(change: Change): void {
    for (const { publisher, writes, orphan } of this.#tables.values()) {
      if (change === "addition" && !orphan) writes.expect();
      publisher.request(change);
    }
  }

  /**
   * Has the tables written again that somebody removed: an MTA without its table refuses all mail; and those of which no MTA
   * could be told: one that was starting may have read a former version. Looks for hard links to the others.
   */
  restore(): void {
    if (this.#unwritable.letGo()) this.#parts.forgotten();
    for (const { map, publisher, writer } of this.#tables.values()) {
      if (writer.unheard) publisher.request("removal");
      if (publisher.trouble !== undefined) continue;
      const status = foundAt(liveOf(map));
      if (status !== undefined && writer.isReplaced(status)) {
        this.#parts.log.error("table was replaced, it is written again", { table: map.name });
        publisher.request("removal");
      } else if (status === undefined) {
        this.#parts.log.error("table is gone, it is written again", { table: map.name });
        publisher.request("removal");
      } else if (map.index !== undefined) writer.seeLinks(status);
    }
  }

  /**
   * Tries once to bring every table to what it must hold now, the orphans first. What fails is tried again at the publisher's pace.
   * @throws PublishError of a table that failed
   */
  async publish(): Promise<void> {
    const all = () => [...this.#tables.values()];
    const orphans = await publishAll(all().filter(({ orphan }) => orphan));
    const others = await publishAll(all().filter(({ orphan }) => !orphan));
    const [first] = [...orphans, ...others];
    if (first !== undefined) throw first;
  }

  /** Resolves when every configured table was published once. */
  async published(): Promise<void> {
    await Promise.all(
      [...this.#tables.values()].filter(({ orphan }) => !orphan).map(({ published }) => published),
    );
  }

  /**
   * Publishes once more what the clients are by then, trying for a few seconds, and ends. A table that cannot be written in that
   * time is emptied by the last resort.
   * @throws PublishError of a table that could not be emptied either: what it holds stays open
   */
  async stop(): Promise<void> {
    // All at once: one tool that hangs must not keep another table open.
    const [first] = await failuresOf(
      [...this.#tables.values()].map(async ({ map, writer, publisher }) => {
        await emptied(map, writer, this.#parts.log, this.#publishAtLast(map, publisher));
        publisher.stop();
        void writer.close();
      }),
    );
    for (const { publisher } of this.#tables.values()) publisher.stop();
    if (first !== undefined) throw first;
    this.requireWritable();
  }

  async #publishAtLast(map: AccessMap, publisher: Publisher): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.monotonic() + patience;
    let reason: KnownError = hurry(map);
    for (;;) {
      try {
        await inTime(clock, end - clock.monotonic(), publisher.publish(), reason);
        return;
      } catch (error) {
        if (!(error instanceof KnownError) || clock.monotonic() + retry > end) throw error;
        reason = error;
      }
      await new Promise<void>((resolve) => {
        clock.after(retry, resolve);
      });
    }
  }

  #put(map: AccessMap, orphan: boolean): void {
    const former = this.#tables.get(map.name);
    if (former?.orphan === orphan && isDeepStrictEqual(former.map.settings, map.settings)) return;
    former?.publisher.stop();
    // A write that is under way must not land on the new one's.
    this.#tables.set(map.name, this.#open(map, orphan, former?.publisher.settled()));
  }

  #open(map: AccessMap, orphan: boolean, before: Promise<void> | undefined): Table {
    const { clock, log, run, clients, excluded, mostAhead, failOpenLimit: limit } = this.#parts;
    const writer = new MapWriter({ map, run, log, clock });
    const writes =
      this.#tables.get(map.name)?.writes ?? new Writes(clock, this.#parts.published ?? (() => {}));
    let first = () => {};
    const published = new Promise<void>((resolve) => {
      first = resolve;
    });
    const publisher = new Publisher({
      name: map.name,
      clock,
      log,
      // An orphan's are asked for under the lock, when they are rendered.
      clients: orphan ? () => ({ [Symbol.iterator]: () => this.#nobody(map, publisher) }) : clients,
      mostAhead,
      limit,
      write: async (snapshot) => {
        await before;
        // Where not even the directory is left, nothing is left to empty.
        const gone = orphan && isGone(dirname(map.source));
        const written = gone
          ? "unchanged"
          : await writes.count(() => writer.write(snapshot, excluded?.()));
        first();
        if (!orphan) this.#takePlace(map);
        if (orphan && !writer.unheard) this.#forget(map, publisher);
        return written;
      },
      isEmpty: () => writer.isEmpty,
      // Not when another one has taken its place.
      resort: async () => {
        if (this.#tables.get(map.name)?.publisher === publisher) await writer.resort();
      },
    });
    return { map, writer, writes, publisher, orphan, published };
  }

  /** Nobody is in an orphan. But what has been put into its place since must not be overwritten. */
  #nobody(map: AccessMap, publisher: Publisher): Iterator<Client> {
    const isCurrent = this.#tables.get(map.name)?.publisher === publisher;
    const others = [...this.#tables.values()];
    if (isCurrent || !others.some((other) => liveOf(other.map) === liveOf(map))) return [].values();
    throw new PublishError("another table has taken its place", exit.tempFail);
  }

  /** A table that is written has replaced an orphan of another type whose file is the same. */
  #takePlace(map: AccessMap): void {
    for (const other of this.#tables.values()) {
      if (other.orphan && liveOf(other.map) === liveOf(map))
        this.#forget(other.map, other.publisher);
    }
  }

  #forget({ name }: AccessMap, publisher: Publisher): void {
    const table = this.#tables.get(name);
    if (table?.publisher !== publisher) return;
    this.#tables.delete(name);
    publisher.stop();
    void table.writer.close(true);
    this.#parts.log.info("table emptied, no longer configured", { table: name });
    this.#parts.forgotten();
  }
}

function publishAll(tables: readonly Table[]): Promise<KnownError[]> {
  return failuresOf(tables.map(({ publisher }) => publisher.publish()));
}
