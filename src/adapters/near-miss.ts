/** Lines of a known daemon that speak of a login although no pattern takes them: a new version may have changed its words. */
import type { Adapter } from "./adapter.ts";
import { breakOf } from "./fit.ts";
import type { Break } from "./fit.ts";

/** Words of success, and of everything else that may be said of a login. */
const success =
  /\b(?:log(?:ged|s)?[ -]?(?:in|on)|auth|authenticat(?:ed|ion)|accept(?:ed)?|succe(?:eded|ss(?:ful(?:ly)?)?)|session (?:opened|from|for))\b/i;
const others =
  /\b(?:fail(?:ed|ure|s)?|reject(?:ed)?|refus(?:ed|ing)|den(?:y|ied)|disallow(?:ed)?|invalid|illegal|bad|badlogin|abort(?:ed)?|disconnect(?:ed|ing)?|unknown|mismatch|excessive|exceeded|disabled|stored|error|warning|debug|log(?:ged|ging)?[ -]?(?:out|off)|time[ds]?[ -]?out|no auth|unable|can'?not|not |without|clos(?:ed|ing)|expired|starting|anonymous)\b/i;
const address =
  /(?:^|[^\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}:[\da-f:]*:[\da-f.]*)(?![\w:])/i;

/** Says whether a message names an address and speaks of a success, and of nothing else. */
export function speaksOfLogin(message: string): boolean {
  return success.test(message) && !others.test(message) && address.test(message);
}

/** The fields of a message, which differ from line to line: what stands in quotes or brackets or behind `=`, and numbers. */
const fields =
  /"[^"]*"|'[^']*'|`[^']*'|<[^<>]*>|\[[^[\]]*\]|(?<==)[^ ,;]+|(?:\d{1,3}\.){3}\d{1,3}|[\da-f]*:[\da-f:]*:[\da-f.]*|(?<![^ ,;:=()[\]<>])(?!(?:pop3|imap4)\b)[^ ,;:=()[\]<>]*[@\d][^ ,;:=()[\]<>]*/gi;

/** Characters: what is longer is told by its beginning. */
const longestShape = 160;

/** The message without its fields: lines that differ in these alone have the same shape. */
export function shapeOf(message: string): string {
  const shape = message.slice(0, 2 * longestShape).replace(fields, (field) => {
    const [open = "", close = ""] = [field[0], field.at(-1)];
    return /["'`<[]/.test(open) && field.length > 1 ? `${open}*${close}` : "*";
  });
  return shape.length > longestShape ? `${shape.slice(0, longestShape)}...` : shape;
}

/** The pattern that takes most of a message. */
export interface Closest extends Break {
  readonly adapter: string;
}

/** Gives the closest pattern of some adapters, and where it breaks; undefined if one of them takes the message. */
export function closestOf(adapters: readonly Adapter[], message: string): Closest | undefined {
  const tried = adapters.flatMap(({ name, logins, correlate }) =>
    [...logins, ...(correlate?.second ?? [])].map((pattern) => ({
      adapter: name,
      broke: breakOf(pattern, message),
    })),
  );
  let closest: Closest | undefined;
  for (const { adapter, broke } of tried) {
    if (broke === undefined) return undefined;
    if (closest === undefined || broke.at > closest.at) closest = { adapter, ...broke };
  }
  return closest;
}
