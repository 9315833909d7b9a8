/** Declares the command line. */
import { Command, CommanderError } from "commander";
import type { Outside } from "./commands/command.ts";
import { exit, type ExitCode } from "./errors.ts";
import { detailsOf } from "./help.ts";
import { defaultConfigFile } from "./paths.ts";
import { version } from "./version.ts";

/** The whole program, ready to parse; `done` is given the exit code of the command that ran. */
export function createProgram(outside: Outside, done: (code: ExitCode) => void): Command {
  const program = new Command("popgate")
    .description(
      "POP before SMTP: a client that has just logged in by POP or IMAP may relay mail for a while.",
    )
    .version(version)
    .showHelpAfterError("(popgate --help shows how)")
    .configureOutput({ writeOut: outside.print, writeErr: outside.tell })
    .exitOverride();

  // Each command is loaded when it is called: a look at a log does not wait for what the daemon needs.
  const act =
    <A extends unknown[]>(command: (...args: A) => Promise<ExitCode>) =>
    async (...args: A) =>
      done(await command(...args));

  withConfig(program.command("run"))
    .description("follow the logs and keep the tables equal to the live grants, in the foreground")
    .option("--log-json", "tell what happens as JSON Lines")
    .action(
      act(async (options: object) => (await import("./commands/run.ts")).run(options, outside)),
    );
  program
    .command("setup")
    .description(
      "propose a config for this host, and say what to put into the MTA; changes nothing",
    )
    .option("--write [file]", `write the config (default: ${defaultConfigFile})`)
    .option("--force", "replace a config that is there")
    .option(
      "--json",
      "one JSON object with the config, the MTA, its lines, and what is to be known",
    )
    .action(
      act(async (options: object) => (await import("./commands/setup.ts")).setup(options, outside)),
    );
  withConfig(program.command("check"))
    .description("validate the config, inspect the host, and say what to put into the MTA")
    .action(
      act(async (options: object) => (await import("./commands/check.ts")).check(options, outside)),
    );
  program
    .command("match")
    .description("show which lines of a log are logins; without policy, touching no map")
    .argument("[file...]", "logs; - or nothing reads standard input")
    .option("--json", "one JSON object a login")
    .option("--count", "only one JSON object with the numbers of lines, logins and clients")
    .option("--adapter <name>", "try this adapter only; may be repeated", gather)
    .option("--rotated", "read each log's rotated generations before it, the oldest first")
    .option(
      "--explain <number>",
      "walk through the line with this number, and show what is made of it",
    )
    .option("--pattern <file>", "know the adapters of this file too, [[adapter]] as in the config")
    .action(
      act(async (files: string[], options: object) =>
        (await import("./commands/match.ts")).match(files, options, outside),
      ),
    );
  withState(program.command("status"))
    .description(
      "show whether popgate is healthy, how far its sources and maps are, and what it has counted",
    )
    .option("--json", "one JSON object")
    .action(
      act(async (options: object) =>
        (await import("./commands/status.ts")).status(options, outside),
      ),
    );
  withState(program.command("list"))
    .description("show the live grants, or how far the sources were read")
    .option("--sources", "show the sources instead of the grants")
    .option("--json", "one JSON object a grant, or a source")
    .option("--watch", "on a terminal, show them anew every second")
    .action(
      act(async (options: object) => (await import("./commands/list.ts")).list(options, outside)),
    );
  program
    .command("report")
    .description("show who depends on POP before SMTP, from where and how often, by the audit")
    .argument("[file...]", "files of an audit; - reads standard input; by default the config's")
    .option("--since <duration>", "only what happened so long ago at most: 12h, 30d, 365d")
    .option("--json", "one JSON object a user, then one a reason of refusals, and the totals")
    .option("--csv", "the users as a table for a spreadsheet")
    .option("--config <file>", `the config (default: ${defaultConfigFile})`)
    .action(
      act(async (files: string[], options: object) =>
        (await import("./commands/report.ts")).report(files, options, outside),
      ),
    );
  withState(program.command("explain"))
    .description("tell why a client is granted or not, and what the tables and Postfix say of it")
    .argument("<client>", "its address")
    .option("--json", "one JSON object")
    .action(
      act(async (client: string, options: object) =>
        (await import("./commands/explain.ts")).explain(client, options, outside),
      ),
    );
  withState(program.command("grant"))
    .description("let a client relay for a while without a login")
    .argument("<client>", "its address")
    .option("--for <duration>", "for how long: 90s, 30m, 2h, 1d")
    .option("--why <text>", "what list and explain say of it")
    .option("--json", "one JSON object")
    .action(
      act(async (client: string, options: object) =>
        (await import("./commands/grant.ts")).grant(client, options, outside),
      ),
    );
  withState(program.command("revoke"))
    .description("end the grant of a client, or those of a user")
    .argument("[client]", "its address")
    .option("--user <name>", "all clients of this user instead")
    .option("--for <duration>", "let no login grant again for so long")
    .option("--why <text>", "what explain says of it")
    .action(
      act(async (client: string | undefined, options: object) =>
        (await import("./commands/grant.ts")).revoke(client, options, outside),
      ),
    );
  withState(program.command("reload"))
    .description("have the running popgate read its config again")
    .action(
      act(async (options: object) =>
        (await import("./commands/reload.ts")).reload(options, outside),
      ),
    );
  withState(program.command("withdraw"))
    .description("empty every table, configured or remembered, with or without a running popgate")
    .option("--map <table>", "a table, [type:]/path; may be repeated", gather)
    .option("--forget", "end all grants too: who logged in before must log in again")
    .option("--unless-running", "do nothing if a popgate runs: for a guard that looks now and then")
    .action(
      act(async (options: object) =>
        (await import("./commands/withdraw.ts")).withdraw(options, outside),
      ),
    );
  for (const command of [program, ...program.commands]) {
    command.addHelpText("after", detailsOf(command.name()));
  }
  return program;
}

/** The help of the program, and of each command, by its name: as `--help` prints it, but with no line broken. */
export function helpTexts(program: Command): ReadonlyMap<string, string> {
  const helps = new Map<string, string>();
  for (const command of [program, ...program.commands]) {
    let help = "";
    command.configureOutput({
      writeOut: (text) => void (help += text),
      getOutHelpWidth: () => Infinity,
    });
    command.outputHelp();
    helps.set(command.name(), help);
  }
  return helps;
}

/** Whether commander threw it, which has told by then what was wrong, or has shown its help. */
export function isCommanderError(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError;
}

/** The exit code for what commander threw. */
export function exitCodeOfCommander({ exitCode }: CommanderError): ExitCode {
  return exitCode === 0 ? exit.ok : exit.usage;
}

function withState(command: Command): Command {
  return command
    .option("--config <file>", `the config (default: ${defaultConfigFile})`)
    .option("--state-dir <dir>", "where the state is kept, instead of a config");
}

function withConfig(command: Command): Command {
  return withState(command)
    .option(
      "--source <log>",
      "a log to follow, instead of a config; - is standard input; may be repeated",
      gather,
    )
    .option("--journal", "follow the systemd journal, instead of a config")
    .option("--map <table>", "a table, [type:]/path, instead of a config; may be repeated", gather)
    .option("--ttl <duration>", "how long a login lets the client relay: 90s, 30m, 2h");
}

function gather(value: string, former: readonly string[] = []): string[] {
  return [...former, value];
}
