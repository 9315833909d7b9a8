/** A private rsyslog with a socket of its own, and the namespace in which that socket is /dev/log. */

import { existsSync, readFileSync } from "node:fs";
import { type Argv, Child } from "./child.ts";
import type { Daemon, Lab, Syslog } from "./lab.ts";
import { withDevLog } from "./namespace.ts";
import { until } from "./wait.ts";

// popa3d logs to daemon, solid-pop3d to local0, PAM inside either to authpriv.
const facilities = "mail,daemon,local0,authpriv.*";

/** rsyslog, writing what it gets into one file per format. */
export class Rsyslog implements Daemon, Syslog {
  readonly name = "rsyslog";
  /** `2026-11-23T06:20:54.123914+00:00 mx dovecot: ...` */
  readonly rfc3339: string;
  /** `Nov 23 06:20:54 mx dovecot: ...` */
  readonly rfc3164: string;
  readonly #lab: Lab;
  readonly #socket: string;
  #child: Child | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.rfc3339 = lab.path("rsyslog", "rfc3339.log");
    this.rfc3164 = lab.path("rsyslog", "rfc3164.log");
    this.#socket = lab.path("rsyslog", "dev-log");
  }

  async start(): Promise<void> {
    await this.#lab.folder("rsyslog/work");
    const config = await this.#lab.file(
      "rsyslog/rsyslog.conf",
      `global(workDirectory="${this.#lab.path("rsyslog", "work")}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${this.#socket}" CreatePath="on" RateLimit.Interval="0")
${facilities} action(type="omfile" file="${this.rfc3339}" template="RSYSLOG_FileFormat")
${facilities} action(type="omfile" file="${this.rfc3164}" template="RSYSLOG_TraditionalFileFormat")
`,
    );
    const pid = this.#lab.path("rsyslog", "pid");
    const child = new Child(["rsyslogd", "-n", "-f", config, "-i", pid]);
    this.#child = child;
    await until("rsyslog's socket", () => {
      if (!child.running) throw new Error("it ended");
      return existsSync(this.#socket);
    });
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  /** The same command, in a mount namespace of its own whose /dev/log is this rsyslog. */
  inside(argv: Argv): Argv {
    return withDevLog(this.#socket, argv);
  }

  said(): string {
    return this.#child?.lines.join("\n") ?? "";
  }

  /** What has been logged so far, in one of its two formats. */
  read(format: "rfc3339" | "rfc3164"): string {
    return existsSync(this[format]) ? readFileSync(this[format], "utf8") : "";
  }
}
