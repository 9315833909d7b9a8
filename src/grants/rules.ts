/** What the config says about who may relay, and for how long. */
import type { Networks } from "../client.ts";
import type { Names } from "./names.ts";

/** All times in ms. */
export interface Rules {
  /** Where no source and no adapter says otherwise. */
  readonly ttl: number;
  /** Of a login that this adapter saw in this source; undefined for one whose source is not known. */
  readonly ttlOf: (adapter: string, source: string | undefined) => number;
  /** The longest of them. */
  readonly longestTtl: number;
  readonly never: Networks;
  /** Networks for which the built-in refusals are lifted. */
  readonly allow: Networks;
  readonly services: ReadonlySet<string>;
  readonly allowUsers: Names;
  readonly denyUsers: Names;
  readonly maxGrants: number;
  readonly maxClientsPerUser: number;
  /** What a further client of such a user brings about: it is refused, or all of the user's grants end and he is kept out. */
  readonly tooManyClients: "refuse" | "hold";
  readonly hold: number;
  readonly maxUsersPerClient: number;
  /** What a further user of such a client brings about: a warning, the end of its grant, or grants that end sooner. */
  readonly tooManyUsers: "warn" | "refuse" | "shorten";
  readonly shortTtl: number;
}
