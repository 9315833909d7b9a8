/** Lines that matter in the tests of sources: those that hold a text. */
import type { Wants } from "../../src/sources/source.ts";

/** Wants the lines that hold one of the texts, in Latin-1. */
export function holding(...texts: readonly string[]): Wants {
  return (bytes, from, end) => {
    const line = bytes.toString("latin1", from, end);
    return texts.some((text) => line.includes(text));
  };
}
