/** Asks an index whether it holds what its source says. */
import type { Run } from "../run.ts";
import type { Index } from "./map.ts";

/** Keys that tell whether an index was made of a source, or of the one that stood there before. */
export interface Sample {
  readonly held: readonly string[];
  readonly gone: readonly string[];
}

/** Keys of each kind: one process asks for all of them. */
const most = 8;
/** Lines that are compared, at most. */
const farthest = 8192;

/**
 * Takes a source in pieces and the one before it, both as `mapText` makes them. Gives its last key, some that are spread
 * over it, the first that are new, and the first that are gone.
 */
export function sampleOf(text: readonly string[], before: string): Sample {
  const pieces = text.filter((piece) => piece !== "");
  const stride = Math.ceil(pieces.length / most);
  const ends = pieces.filter((_, at) => at % stride === 0 || at === pieces.length - 1);
  const spread = ends.map((piece) => piece.slice(piece.lastIndexOf("\n", piece.length - 2) + 1));
  const { held, gone } = differences(pieces, before);
  return { held: [...new Set([...spread.filter(isEntry).map(keyOf), ...held])], gone };
}

/** Whole pieces are compared until one differs, and lines only from there on. */
function differences(pieces: readonly string[], before: string): Sample {
  let at = 0;
  let from = pieces.findIndex((piece) => {
    if (!before.startsWith(piece, at)) return true;
    at += piece.length;
    return false;
  });
  if (from < 0) from = pieces.length;
  const lines = pieces
    .slice(from, from + 2)
    .join("")
    .split("\n")
    .slice(0, -1);
  const whole = from + 2 >= pieces.length;
  const [held, gone]: [string[], string[]] = [[], []];
  let line = 0;
  for (let step = 0; step < farthest && (held.length < most || gone.length < most); step++) {
    const now = lines[line];
    const end = before.indexOf("\n", at);
    const old = end < 0 ? undefined : before.slice(at, end);
    if (now === undefined && (old === undefined || !whole)) break;
    if (old === undefined || (now !== undefined && now <= old)) line += 1;
    if (old !== undefined && (now === undefined || old <= now)) at = end + 1;
    if (now === old) continue;
    if (old === undefined || (now !== undefined && now < old)) held.push(now ?? "");
    else gone.push(old);
  }
  return {
    held: held.filter(isEntry).slice(0, most).map(keyOf),
    gone: gone.filter(isEntry).slice(0, most).map(keyOf),
  };
}

/** Asks an index, if its tool can be asked. Gives whether it holds all that it must, and nothing of what it must not. */
export async function holds(
  { ask }: Index,
  { held, gone }: Sample,
  run: Run,
  deadline: number,
): Promise<boolean> {
  const keys = [...held, ...gone];
  if (ask === undefined || keys.length === 0) return true;
  const text = keys.map((key) => `${key}\n`).join("");
  const { ok, stdout, stderr, reason } = await run(ask, { deadline, text });
  // postmap says with status 1 that it found none of them, and with the same that it could not look.
  const none = reason.startsWith("exit status 1") && !/\b(?:fatal|error|panic): /.test(stderr);
  if (!ok && !none) return false;
  const found = new Set(stdout.split("\n").map(keyOf));
  return held.every((key) => found.has(key)) && !gone.some((key) => found.has(key));
}

/**
 * Lists an index and compares it with its source; a map tool folds keys to lower case, and lists in an order of its own.
 * Gives undefined if the tool cannot list it, or what it lists would be too long.
 */
export async function saysTheSame(
  { dump }: Index,
  text: readonly string[],
  run: Run,
  deadline: number,
): Promise<boolean | undefined> {
  const length = text.reduce((sum, piece) => sum + piece.length, 0);
  if (dump === undefined || length > longest) return undefined;
  const listed = await run(dump, { deadline });
  return listed.ok && entriesOf(listed.stdout) === entriesOf(text.join(""));
}

/** Characters; what a program prints is cut behind so many. */
const longest = 900_000;

function entriesOf(text: string): string {
  return text.toLowerCase().split("\n").filter(isEntry).sort().join("\n");
}

function isEntry(line: string): boolean {
  return line !== "" && !line.startsWith("#");
}

function keyOf(line: string): string {
  return line.trimEnd().split("\t", 1)[0] ?? "";
}
