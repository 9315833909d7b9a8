/** All tables that popgate has a hand in: those of the config, and those that it once published and must empty. */
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Client } from "../client.ts";
import type { Clock } from "../clock.ts";
import { codeOf, exit, KnownError, PublishError, reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run } from "../run.ts";
import { createMap } from "./index.ts";
import type { AccessMap, MapSettings } from "./map.ts";
import { Publisher, type Trouble } from "./publisher.ts";
import { Writes } from "./writes.ts";
import { MapWriter } from "./writer.ts";

interface TablesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: Run;
  /** The clients that the configured tables must hold at this moment. */
  readonly clients: () => Iterable<Client>;
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
  /** Whether no MTA could be told of it yet. */
  readonly unheard: () => boolean;
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
  readonly #unknown: MapSettings[] = [];

  constructor(parts: TablesParts) {
    this.#parts = parts;
  }

  /** Every table that may hold a client. */
  get remembered(): MapSettings[] {
    return [...[...this.#tables.values()].map(({ map }) => map.settings), ...this.#unknown];
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
    for (const map of [...former, ...this.#known(published)]) {
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

  /** The names of the configured tables that leave this client out. */
  leavingOut(client: Client): string[] {
    const configured = [...this.#tables.values()].filter(({ orphan }) => !orphan);
    return configured
      .filter(({ map }) => map.leavesOut?.(client) === true)
      .map(({ map }) => map.name);
  }

  /** A table that this version cannot write stays remembered, and is told. */
  #known(published: readonly MapSettings[]): AccessMap[] {
    return published.flatMap((settings) => {
      try {
        return [createMap(settings)];
      } catch (error) {
        this.#unknown.push(settings);
        this.#parts.log.error("a former table cannot be emptied", { reason: reasonOf(error) });
        return [];
      }
    });
  }

  /** Says that the clients changed; the tables follow at their pace. */
  request(change: "addition" | "removal"): void {
    for (const { publisher, writes, orphan } of this.#tables.values()) {
      if (change === "addition" && !orphan) writes.expect();
      publisher.request(change);
    }
  }

  /**
   * Has the tables written again that somebody removed: an MTA without its table refuses all mail. And those of which no MTA
   * could be told: one that was starting may have read a former version.
   */
  restore(): void {
    for (const { map, publisher, unheard } of this.#tables.values()) {
      if (unheard()) publisher.request("removal");
      if (!publisher.healthy || existsSync(map.index?.(map.source).live ?? map.source)) continue;
      this.#parts.log.error("table is gone, it is written again", { table: map.name });
      publisher.request("removal");
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
   * Publishes once more what the clients are by then, trying for a few seconds, and ends.
   * @throws PublishError of a table that could not be written: what it holds stays open
   */
  async stop(): Promise<void> {
    const { clock } = this.#parts;
    const hurry = "a table is not empty yet, its tool hangs; run `popgate withdraw`";
    let failure: unknown = new PublishError(hurry, exit.tempFail);
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = clock.after(patience, () => resolve(false));
    });
    const tried = async () => {
      try {
        // All at once: one tool that hangs must not keep another table open.
        const [first] = await publishAll([...this.#tables.values()]);
        if (first !== undefined) throw first;
        return true;
      } catch (error) {
        failure = error;
        await new Promise<void>((resolve) => {
          clock.after(retry, resolve);
        });
        return undefined;
      }
    };
    let done: boolean | undefined;
    while (done === undefined) done = await Promise.race([tried(), late]);
    cancel();
    for (const { publisher } of this.#tables.values()) publisher.stop();
    if (!done) throw failure;
  }

  #put(map: AccessMap, orphan: boolean): void {
    const former = this.#tables.get(map.name);
    if (former !== undefined && former.orphan === orphan && former.map === map) return;
    former?.publisher.stop();
    // A write that is under way must not land on the new one's.
    this.#tables.set(map.name, this.#open(map, orphan, former?.publisher.settled()));
  }

  #open(map: AccessMap, orphan: boolean, before: Promise<void> | undefined): Table {
    const { clock, log, run, clients } = this.#parts;
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
      clients: orphan ? () => [] : clients,
      write: async (snapshot) => {
        await before;
        // Where not even the directory is left, nothing is left to empty.
        const gone = orphan && isGone(dirname(map.source));
        const written = gone ? "unchanged" : await writes.count(() => writer.write(snapshot));
        first();
        if (orphan && !writer.unheard) this.#forget(map, publisher);
        return written;
      },
    });
    const unheard = () => writer.unheard;
    return { map, writer, writes, publisher, unheard, orphan, published };
  }

  #forget({ name }: AccessMap, publisher: Publisher): void {
    if (this.#tables.get(name)?.publisher !== publisher) return;
    this.#tables.delete(name);
    publisher.stop();
    this.#parts.log.info("table emptied, no longer configured", { table: name });
    this.#parts.forgotten();
  }
}

function publishAll(tables: readonly Table[]): Promise<KnownError[]> {
  return failuresOf(tables.map(({ publisher }) => publisher.publish()));
}

function isGone(directory: string): boolean {
  try {
    statSync(directory);
    return false;
  } catch (error) {
    // Out of reach is not gone.
    return codeOf(error) === "ENOENT";
  }
}

/**
 * Makes sure that every map can be written on this host. A trouble that may pass, such as a full disk, is left to the publisher.
 * @throws KnownError with the faults of all maps
 */
export async function checkMaps(maps: readonly AccessMap[], run: Run, log: Log): Promise<void> {
  const faults = (
    await failuresOf(maps.map((map) => new MapWriter({ map, run, log }).check()))
  ).filter(({ exitCode }) => exitCode !== exit.tempFail);
  const [first] = faults;
  if (first === undefined) return;
  throw new KnownError(faults.map(({ message }) => message).join("\n"), first.exitCode);
}

/** Empties these tables, and gives what kept any of them from it. */
export function emptyTables(
  tables: readonly MapSettings[],
  run: Run,
  log: Log,
): Promise<KnownError[]> {
  return failuresOf(
    tables.map(async (settings) => new MapWriter({ map: createMap(settings), run, log }).write([])),
  );
}

async function failuresOf(tasks: readonly Promise<unknown>[]): Promise<KnownError[]> {
  const failures: KnownError[] = [];
  for (const result of await Promise.allSettled(tasks)) {
    if (result.status === "fulfilled") continue;
    if (!(result.reason instanceof KnownError)) throw result.reason;
    failures.push(result.reason);
  }
  return failures;
}
