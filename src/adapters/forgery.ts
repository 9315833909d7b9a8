/** Messages as a stranger would want them: the words of a login, with a client of his choice, in a field that he can choose. */
import { partsOf } from "./parts.ts";

/** Clients that are nobody's (RFC 5737, RFC 3849). */
const victims = ["203.0.113.66", "2001:db8::66"];

/** From the first character to the one behind the last. */
type Span = readonly [from: number, to: number];

/**
 * Takes a pattern and a message that it takes. Gives the texts that would make another login of it: every stretch of the message
 * that holds the client, with another client in its place.
 */
export function temptations(pattern: RegExp, message: string): string[] {
  const spans = spansOf(pattern, message);
  const [start, end] = spans.get("client") ?? [0, 0];
  const edges = [...new Set([0, message.length, ...[...spans.values()].flat()])];
  const texts = victims
    .filter((victim) => victim !== message.slice(start, end))
    .flatMap((victim) =>
      edges
        .filter((from) => from <= start)
        .flatMap((from) =>
          edges
            .filter((to) => to >= end)
            .map((to) => message.slice(from, start) + victim + message.slice(end, to)),
        ),
    );
  // With something before it where a field must not be empty, and behind it where the rest must be parted from it.
  return texts.flatMap((text) => [text, `x${text}`, `${text} x`, `x${text} x`]);
}

/**
 * The same message once for each of the texts and each of its fields, but for the client and the service, and for those that are
 * empty: what the daemon left out is nobody's to fill.
 */
export function forged(pattern: RegExp, message: string, texts: readonly string[]): string[] {
  const fields = [...spansOf(pattern, message)].filter(
    ([name, [from, to]]) => name !== "client" && name !== "service" && from < to,
  );
  return fields.flatMap(([, span]) => texts.map((text) => replaced(message, span, text)));
}

/** A message that is no login, once for each of the texts and each place where it names the user. */
export function retold(message: string, user: string, texts: readonly string[]): string[] {
  const spans: Span[] = [];
  for (let at = message.indexOf(user); at >= 0; at = message.indexOf(user, at + user.length)) {
    spans.push([at, at + user.length]);
  }
  return spans.flatMap((span) => texts.map((text) => replaced(message, span, text)));
}

function replaced(message: string, [from, to]: Span, text: string): string {
  return message.slice(0, from) + text + message.slice(to);
}

/** Where the fields of a message stand: the groups that have a name, and each part of the pattern that can take several texts. */
function spansOf(pattern: RegExp, message: string): ReadonlyMap<string, Span> {
  const match = new RegExp(withNames(pattern.source), `${pattern.flags}d`).exec(message);
  // A group that took no part has no place.
  const groups: Readonly<Record<string, Span | undefined>> = match?.indices?.groups ?? {};
  return new Map(
    Object.entries(groups).flatMap(([name, span]): [string, Span][] =>
      span === undefined ? [] : [[name, span]],
    ),
  );
}

/** The same pattern, in which those parts have names, too: no user's group begins with a dollar. */
function withNames(source: string): string {
  // A number would count other groups then.
  if (/\\[1-9]|\(\?<\$/.test(source)) return source;
  return partsOf(source)
    .map((part, index) =>
      part.texts.includes(undefined) && !/\(\?<[^=!]/.test(part.source)
        ? `(?<$${String(index)}>${part.source})`
        : part.source,
    )
    .join("");
}
