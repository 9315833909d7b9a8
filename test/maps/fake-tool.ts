/** Map tools that misbehave: real executable scripts in a directory that is removed after the test. */
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Gives a new directory that only its owner can write to. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), "popgate-maps-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes an index, `$made`, that is the source without its comments, behind a first line of its own. */
const make = `{ echo '# index'; sed '/^#/d' "$source"; } >"$made"`;

/** How a tool behaves after it was asked to build `$made` from `$source`. */
export const behaviours = {
  works: make,
  remarks: `${make}; echo 'postmap: warning: /etc/postfix/main.cf, line 3: overriding earlier entry' >&2`,
  warns: `${make}; echo "postmap: warning: $source, line 2: expected format: key whitespace value" >&2`,
  drops: `echo '# index' >"$made"; echo "postmap: warning: $source, line 2: expected format: key whitespace value" >&2`,
  fails: "echo 'postmap: fatal: open database: No space left on device' >&2; exit 1",
  hangs: "exec sleep 60",
  waits: `${make}; started="$(dirname "$0")/started"; : >"$started"; while [ -e "$started" ]; do sleep 0.01; done`,
  nothing: ":",
  empty: `: >"$made"`,
  link: `ln -s /etc/passwd "$made"`,
  noType: "echo 'postmap: fatal: unsupported dictionary type: lmdb' >&2; exit 1",
  status65: `${make}; echo 'makemap: x: line 2: key 192.0.2.1: duplicate key' >&2; exit 65`,
  drops65: `echo '# index' >"$made"; echo 'makemap: x: line 2: no RHS for LHS 192.0.2.1' >&2; exit 65`,
  garbage: `head -c 2000 /dev/urandom >&2; exit 1`,
  killed: `${make}; kill -9 $$`,
  failsFull: `${make}; ! grep -q OK "$source"`,
  silent: `[ -s "$made" ] || echo '# index' >"$made"`,
  late: `started="$(dirname "$0")/started"; : >"$started"; while [ -e "$started" ]; do sleep 0.01; done; ${make}`,
  wrongArchitecture: "",
  stray: `: >"$(dirname "$source")/__db.$(basename "$source").db"; exit 1`,
} as const;

/** Puts a tool into a directory; it takes postmap's arguments and makemap's. Gives its path. */
export function fakeTool(directory: string, behaviour: keyof typeof behaviours): string {
  const file = join(directory, "fake-tool");
  const script = [
    "#!/bin/sh",
    'for last; do :; done; source="${last#*:}"; made="$source.db"',
    'case $last in lmdb:*) made="$source.lmdb"; esac',
    'case " $* " in *" -q - "*) found=1; while read -r key; do grep "^$key\t" "$made" && found=0; done; exit $found;; esac',
    'case " $* " in *" -s "*|*" -u "*) cat "$made"; exit;; esac',
    'case " $* " in *" -C/dev/null "*) cat >"$source.stdin"; cmp -s "$source" "$source.stdin" || exit 2; rm "$source.stdin";; esac',
    `${behaviours[behaviour]}\n`,
  ];
  // The first bytes of an ELF program for another machine.
  const foreign = Buffer.from("7f454c4602010100000000000000000002002b0001000000", "hex");
  writeFileSync(file, behaviour === "wrongArchitecture" ? foreign : script.join("\n"));
  chmodSync(file, 0o755);
  return file;
}
