/** Where a syslog daemon writes what a facility says, by its config. Pure. */

/** A file that a rule names. */
export interface Route {
  readonly path: string;
  /** The rule names the facility, and does not just take in all of them. */
  readonly dedicated: boolean;
  /** The config file in which the rule stands. */
  readonly config: string;
}

/** `mail.*  -/var/log/mail.log`, as syslogd and rsyslog have it (rsyslog.conf(5), SELECTORS). */
const plain = /^\s*([a-z0-9*,.;=!]+)\s+-?(\/[^\s;]+)/i;
/** `mail.* action(type="omfile" file="/var/log/mail.log")` */
const action = /^\s*([a-z0-9*,.;=!]+)\s+action\([^)]*\bfile="(\/[^"]+)"/i;

/**
 * Takes the text of a config of rsyslog or another syslogd, its name, and a facility. Gives the files to which the facility's
 * messages of the priority info are written, at which daemons tell of logins, in the order of the rules.
 */
export function routesOf(text: string, config: string, facility: string): Route[] {
  return text.split("\n").flatMap((line) => {
    const [, selectors = "", path = ""] = plain.exec(line) ?? action.exec(line) ?? [];
    const taken = selectors === "" ? undefined : takes(selectors, facility);
    return taken === undefined ? [] : [{ path, dedicated: taken === "named", config }];
  });
}

/** The later of two parts that speak of the facility holds. */
function takes(selectors: string, facility: string): "named" | "all" | undefined {
  let taken: "named" | "all" | undefined;
  for (const selector of selectors.toLowerCase().split(";")) {
    const [names = "", priority = ""] = selector.split(".");
    const facilities = names.split(",");
    const named = facilities.includes(facility);
    if (!named && !facilities.includes("*")) continue;
    if (["*", "debug", "info", "=info"].includes(priority)) taken = named ? "named" : "all";
    else if (["none", "!*", "!debug", "!info", "!=info"].includes(priority)) taken = undefined;
  }
  return taken;
}
