/** What the live tests need from the machine, and what of it is lacking. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { journald } from "./journald.ts";
import { unpacked } from "./lab.ts";
import { systemd } from "./systemd.ts";

const path = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];

function program(name: string): string | undefined {
  return path.some((directory) => existsSync(join(directory, name))) ? undefined : `no ${name}`;
}

function directory(name: string): string | undefined {
  return existsSync(join(unpacked(name), "libraries")) ? undefined : `${name} is not unpacked`;
}

const checks = {
  root: () => (process.getuid?.() === 0 ? undefined : "not root"),
  namespaces: () =>
    spawnSync("unshare", ["--mount", "--uts", "--pid", "--fork", "true"]).status === 0
      ? undefined
      : "no namespaces (CAP_SYS_ADMIN)",
  network: () =>
    spawnSync("unshare", ["--net", "true"]).status === 0 ? undefined : "no network namespaces",
  "user namespaces": () =>
    spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0
      ? undefined
      : "no user namespaces",
  iproute: () => program("ip"),
  postfix: () => program("postmap"),
  dovecot: () => program("dovecot"),
  groups: () =>
    spawnSync("unshare", ["--mount", "sh", "-c", "mount -t cgroup2 cgroup2 /mnt && test -w /mnt"])
      .status === 0
      ? undefined
      : "no control groups of version 2",
  systemd: () => (existsSync(systemd) ? program("systemd-notify") : `no ${systemd}`),
  "start-stop-daemon": () => program("start-stop-daemon"),
  mandoc: () => program("mandoc"),
  journald: () => (existsSync(journald) ? undefined : `no ${journald}`),
  rsyslog: () => program("rsyslogd"),
  sendmail: () => program("m4") ?? directory("sendmail"),
  courier: () => directory("courier"),
  popa3d: () => directory("popa3d"),
  "solid-pop3d": () => directory("solid-pop3d"),
  mailutils: () => directory("mailutils"),
  exim: () => directory("exim"),
  opensmtpd: () => directory("opensmtpd"),
};

/** The first of these needs that is not met, in words; undefined if all are. */
export function lacks(...needs: (keyof typeof checks)[]): string | undefined {
  for (const need of needs) {
    const reason = checks[need]();
    if (reason !== undefined) return reason;
  }
  return undefined;
}
