/** How far a pattern fits a message, and what it expected where it fits no further. Pure. */
import { partsOf } from "./parts.ts";

/** Where a match broke. */
export interface Break {
  /** How many characters of the message the beginning of the pattern takes. */
  readonly at: number;
  /** The part of the pattern that does not fit there, as it is written. */
  readonly expected: string;
}

/**
 * Gives the place where the message stops to fit, or undefined if the pattern takes it. Of a pattern that can begin in several
 * ways the one counts that takes most. A pattern is anchored, and has no | outside of its groups.
 */
export function breakOf({ source, flags }: RegExp, message: string): Break | undefined {
  const parts = partsOf(source).map((part) => part.source);
  for (let count = parts.length; count > 0; count--) {
    const begin = new RegExp(parts.slice(0, count).join(""), flags).exec(message);
    if (begin === null) continue;
    if (count === parts.length) return undefined;
    return { at: begin[0].length, expected: parts.slice(count).join("") };
  }
  return { at: 0, expected: source };
}
