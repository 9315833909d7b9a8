/** The Debian packages of the lab: which ones, which are missing here, and what they say about themselves. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "./command.mjs";
import { project } from "./ground.mjs";

/** Installed by apt. */
export const installed = [
  "postfix",
  "postfix-lmdb",
  "postfix-cdb",
  "dovecot-pop3d",
  "dovecot-imapd",
  "rsyslog",
  "systemd",
  "openssl",
  "m4",
  "mandoc",
];

// Debian lets no second mail server in beside Postfix and Dovecot: these are unpacked, not installed.
/** Unpacked into a directory of their own; apt installs only the libraries that they need. */
export const unpacked = {
  sendmail: ["sendmail-bin", "sendmail-cf"],
  courier: [
    "courier-pop",
    "courier-imap",
    "courier-base",
    "courier-authlib",
    "courier-authlib-userdb",
    "courier-authdaemon",
  ],
  popa3d: ["popa3d"],
  "solid-pop3d": ["solid-pop3d"],
  mailutils: ["mailutils-pop3d", "mailutils-imap4d"],
  exim: ["exim4-daemon-light"],
  opensmtpd: ["opensmtpd"],
};

/** Everything that the lab keeps between two runs. */
export const cache = `${project}/.lab`;

/** Where a set of unpacked packages lies. */
export function unpackedAt(name) {
  return `${cache}/${name}`;
}

/** The packages that this system does not have. */
export async function missing(names) {
  const { output } = await run([
    "dpkg-query",
    "-W",
    "-f",
    "${Package} ${db:Status-Status}\n",
    ...names,
  ]);
  const present = new Set(
    output
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !present.has(name));
}

/** The libraries that a set of unpacked packages needs, or undefined if it is not unpacked yet. */
export function librariesOf(name) {
  const list = `${unpackedAt(name)}/libraries`;
  if (!existsSync(list)) return undefined;
  return readFileSync(list, "utf8").split("\n").filter(Boolean);
}

/** Records what a set of unpacked packages needs; with this it counts as complete. */
export function setLibraries(name, libraries) {
  writeFileSync(`${unpackedAt(name)}/libraries`, [...libraries, ""].join("\n"));
}

/** Whether everything is here: packages, unpacked packages and their libraries. */
export async function isComplete() {
  const libraries = Object.keys(unpacked).map(librariesOf);
  if (libraries.includes(undefined)) return false;
  return (await missing([...installed, ...libraries.flat()])).length === 0;
}

/** Changes whenever a system built from this host and these lists would come out differently. */
export function recipe() {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([installed, unpacked]));
  for (const file of ["/var/lib/dpkg/status", "/etc/os-release"]) hash.update(readFileSync(file));
  for (const file of ["install.mjs", "overlay.sh"]) {
    hash.update(readFileSync(new URL(file, import.meta.url)));
  }
  return hash.digest("hex");
}
