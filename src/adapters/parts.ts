/** Takes the source of a regular expression apart, as far as it is needed to see what every match of it must hold. */

/** One piece of a pattern's outermost level, its quantifier with it. */
export interface Part {
  readonly source: string;
  /** The texts that it must hold, one after the other; undefined stands for anything that may lie between. */
  readonly texts: readonly (string | undefined)[];
}

/** A gap: nothing is known of what stands there. */
const gap = [undefined];

const groupStart = /\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?/y;
const characterClass = /\[(?:\\.|[^\]\\])*\]/sy;
const escape = /\\(?:u\{[\da-f]+\}|u[\da-f]{4}|x[\da-f]{2}|c[a-z]|[kpP][<{][^>}]*[>}]|\d+|.)/isy;
const quantifier = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;

/** Takes the source of a pattern that can be compiled. Gives its parts in their order; of a literal text each character is one. */
export function partsOf(source: string): readonly Part[] {
  return readParts(source, 0).parts;
}

/** Gives the longest text of printable ASCII that stands in everything the pattern takes, or "" if it is not known. */
export function longestText(source: string): string {
  const runs = joined(partsOf(source)).filter((text) => text !== undefined);
  return runs.reduce((best, text) => (text.length > best.length ? text : best), "");
}

function readParts(
  source: string,
  from: number,
): { parts: Part[]; end: number; hasAlternatives: boolean } {
  const parts: Part[] = [];
  let hasAlternatives = false;
  let at = from;
  while (at < source.length && source[at] !== ")") {
    if (source[at] === "|") {
      hasAlternatives = true;
      at++;
      continue;
    }
    const atom = readAtom(source, at);
    const repeat = matchAt(quantifier, source, atom.end);
    const end = atom.end + repeat.length;
    parts.push({ source: source.slice(at, end), texts: repeated(atom.texts, repeat) });
    at = end;
  }
  return { parts, end: at, hasAlternatives };
}

function readAtom(source: string, at: number): { end: number; texts: Part["texts"] } {
  const first = source[at] ?? "";
  if (first === "(") {
    const start = matchAt(groupStart, source, at);
    const inside = readParts(source, at + start.length);
    // What a look-around sees is no part of the text.
    const isKnown = !inside.hasAlternatives && !/[=!]$/.test(start);
    return { end: inside.end + 1, texts: isKnown ? joined(inside.parts) : gap };
  }
  if (first === "[") {
    return { end: at + matchAt(characterClass, source, at).length, texts: gap };
  }
  if (first === "\\") {
    const all = matchAt(escape, source, at);
    return { end: at + all.length, texts: textOf(/^\\[^\w]$/.test(all) ? all.slice(1) : "") };
  }
  if (first === "^" || first === "$") return { end: at + 1, texts: [] };
  return { end: at + 1, texts: textOf(first === "." ? "" : first) };
}

/** Others than these have more than one form in bytes, or none. */
function textOf(character: string): Part["texts"] {
  return /^[ -~]$/.test(character) ? [character] : gap;
}

/** What is repeated stands there once at least, with its first time next to what is before; or perhaps not at all. */
function repeated(texts: Part["texts"], repeat: string): Part["texts"] {
  if (repeat === "") return texts;
  return /^(?:[*?]|\{0)/.test(repeat) ? gap : [...texts, undefined];
}

function joined(parts: readonly Part[]): Part["texts"] {
  const all: (string | undefined)[] = [];
  for (const text of parts.flatMap((part) => part.texts)) {
    const last = all.at(-1);
    if (text !== undefined && last !== undefined) all[all.length - 1] = last + text;
    else all.push(text);
  }
  return all;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}
