/** What was found on a host that a config rests on. Types only. */
import type { PostfixRestrictions } from "./host.ts";
import type { Route } from "./syslog-routes.ts";

/** The end of one log. */
export interface LogFacts {
  readonly path: string;
  /** So many lines were looked at. */
  readonly lines: number;
  /** How many of them are logins, by adapter. */
  readonly logins: ReadonlyMap<string, number>;
}

/** One MTA that is installed. */
export interface MtaFacts {
  /** As the config names it. */
  readonly mta: string;
  readonly version?: string | undefined;
  /** What told of it. */
  readonly by: string;
  readonly runs: boolean;
  /** Postfix: its default_database_type. */
  readonly type?: string;
  /** Postfix: who may relay by what it is told now. */
  readonly restrictions?: PostfixRestrictions | undefined;
}

/** What was found on a host. */
export interface HostFacts {
  readonly host: string;
  /** The names of all processes, as the kernel has them: 15 characters. */
  readonly processes: readonly string[];
  readonly dovecot:
    | {
        /** The setting that tells where logins are written. */
        readonly setting: string;
        /** A log of its own; undefined if it writes to syslog. */
        readonly path: string | undefined;
        /** It prints, so that whatever started it has the lines. */
        readonly toStderr: boolean;
        readonly facility: string;
      }
    | undefined;
  /** Where the syslog daemon writes the facility. */
  readonly routes: readonly Route[];
  readonly logs: readonly LogFacts[];
  /** Whether a journald runs. */
  readonly journal: boolean;
  readonly mtas: readonly MtaFacts[];
}
