/** What journald has to say of a writer, so that what he wrote counts. Pure. */
import type { Trusted } from "./journal-entry.ts";
import { trustedFields } from "./settings.ts";
import type { JournalSettings } from "./settings.ts";

export type Trust = JournalSettings["trust"];

/** With more values a field tells writers apart no longer. */
const mostValues = 4;

/** Says whether each field that is demanded has one of the values that are; a field that is missing has none. */
export function isTrusted(trusted: Trusted, trust: Trust): boolean {
  return trustedFields.every((name) => trust[name]?.includes(trusted[name] ?? "") ?? true);
}

/** The tightest demand that all of them satisfy. */
export function tightest(all: readonly Trusted[]): Trust {
  return Object.fromEntries(
    trustedFields.flatMap((name) => {
      const values = [...new Set(all.map((trusted) => trusted[name]))];
      const known = values.filter((value) => value !== undefined);
      const demands = known.length > 0 && known.length === values.length;
      return demands && known.length <= mostValues ? [[name, known]] : [];
    }),
  );
}

/** As the config has it. */
export function trustText(trust: Trust): string {
  const demands = trustedFields.flatMap((name) => {
    const texts = trust[name]?.map((value) => JSON.stringify(value)) ?? [];
    if (texts.length === 0) return [];
    return [`${name} = ${texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`}`];
  });
  return `{ ${demands.join(", ")} }`;
}
