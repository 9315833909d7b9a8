/** Which logs of a host popgate is to follow, as lines of a config with a reason for each. Pure. */
import type { HostFacts, LogFacts } from "./facts.ts";
import type { Route } from "./syslog-routes.ts";

/** Lines of a config. */
export type Block = readonly string[];

/** One source. */
export interface SourceProposal {
  readonly block: Block;
  /** Those whose logins are looked for there. */
  readonly adapters: readonly string[];
}

/** Gives the sources for a host where these adapters' daemons run. */
export function sourcesOf(facts: HostFacts, running: readonly string[]): SourceProposal[] {
  const { dovecot, logs } = facts;
  const own = dovecot?.path;
  const others = running.filter((name) => name !== "dovecot");
  const ownSource: SourceProposal[] =
    own === undefined
      ? []
      : [
          {
            adapters: ["dovecot"],
            block: [
              `# Dovecot writes a log of its own (doveconf: ${dovecot?.setting ?? ""}); no other program's line can stand in it.`,
              "[[source]]",
              `path = ${quoted(own)}`,
              "# Nobody else writes there.",
              'adapters = ["dovecot"]',
            ],
          },
        ];
  const rest = logs.filter(({ path }) => path !== own);
  const seen = rest.some(({ logins }) =>
    [...logins.keys()].some((name) => own === undefined || name !== "dovecot"),
  );
  if (own !== undefined && others.length === 0 && !seen) return ownSource;
  const wanted = own === undefined ? running : others;
  return [...ownSource, syslogSource(facts, rest, wanted)];
}

/** The log that the syslog daemon writes, or the journal. */
function syslogSource(
  facts: HostFacts,
  logs: readonly LogFacts[],
  running: readonly string[],
): SourceProposal {
  const best = bestLog(logs, facts.routes);
  const route = facts.routes.find(({ path }) => path === best?.path);
  const throughSyslog =
    facts.dovecot === undefined || facts.dovecot.path !== undefined
      ? []
      : [
          facts.dovecot.toStderr
            ? `# Dovecot prints what it logs (doveconf: ${facts.dovecot.setting}), and whatever started it has the lines.`
            : `# Dovecot logs through syslog (doveconf: ${facts.dovecot.setting}), facility ${facts.dovecot.facility}.`,
        ];
  if (
    best !== undefined &&
    !(facts.journal && facts.routes.length === 0 && best.logins.size === 0)
  ) {
    const adapters = [...new Set([...best.logins.keys(), ...running])];
    const why =
      route === undefined
        ? `# The mail log that is there.`
        : `# The syslog daemon writes it here (${route.config}).`;
    return {
      adapters,
      block: [
        ...throughSyslog,
        why,
        "[[source]]",
        `path = ${quoted(best.path)}`,
        ...adapterLines(adapters, best, running),
      ],
    };
  }
  if (facts.journal) {
    return {
      adapters: running,
      block: [
        ...throughSyslog,
        "# No syslog daemon writes a mail log; the journal has it all, and tells who wrote a line.",
        "[[source]]",
        'type = "journal"',
        ...adapterLines(running, undefined, running),
      ],
    };
  }
  return {
    adapters: running,
    block: [
      ...throughSyslog,
      "# No mail log was found here: name it.",
      "[[source]]",
      `path = ${quoted("/var/log/mail.log")}`,
      ...adapterLines(running, undefined, running),
    ],
  };
}

/** The log with the most logins; without any, the one that is written for mail alone, then the first. */
function bestLog(logs: readonly LogFacts[], routes: readonly Route[]): LogFacts | undefined {
  const rank = ({ path, logins }: LogFacts): number => {
    const total = [...logins.values()].reduce((sum, count) => sum + count, 0);
    const route = routes.find((each) => each.path === path);
    return total * 4 + (route === undefined ? 0 : route.dedicated ? 2 : 1);
  };
  return logs.toSorted((a, b) => rank(b) - rank(a))[0];
}

function adapterLines(
  adapters: readonly string[],
  log: LogFacts | undefined,
  running: readonly string[],
): Block {
  if (adapters.length === 0) {
    return ["# No daemon was seen to run or to log here: all that are on by default count."];
  }
  const seen = [...(log?.logins ?? [])].map(([name, count]) => `${name} ${String(count)}`);
  const reasons = [
    ...(seen.length === 0 ? [] : [`logins among the last lines: ${seen.join(", ")}`]),
    ...(running.length === 0 ? [] : [`running: ${running.join(", ")}`]),
  ];
  return [
    `# Whose logins count (${reasons.join("; ")}). What no daemon here writes, nobody shall forge.`,
    `adapters = [${adapters.map(quoted).join(", ")}]`,
  ];
}

/** A text in quotes, as TOML has it. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
