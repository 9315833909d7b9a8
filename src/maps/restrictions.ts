/** Where in Postfix's restriction lists a table must stand, and what is wrong where it does not. Pure. */

/** The restrictions that end every relaying that was not permitted before them (access(5), postconf(5)). */
const walls = new Set([
  "reject_unauth_destination",
  "defer_unauth_destination",
  "reject",
  "defer",
  "permit",
]);

/**
 * Says what is wrong with the place of `table` in the value of smtpd_relay_restrictions, or of smtpd_recipient_restrictions
 * where that list has a wall of its own; an empty list if nothing is.
 */
export function faultsOfPlace(restrictions: string, table: string): string[] {
  const words = wordsOf(restrictions);
  const place = placeOf(words, table);
  if (place < 0) return [`check_client_access ${table} is missing`];
  const faults: string[] = [];
  const wall = words.findIndex((word) => walls.has(word));
  if (wall >= 0 && wall < place) {
    faults.push(`it stands behind ${words[wall] ?? ""}, so it is never asked; put it before`);
  }
  const own = words.indexOf("permit_mynetworks");
  if (own > place) faults.push("it stands before permit_mynetworks; put it behind");
  const destination = words.indexOf("permit_auth_destination");
  if (destination < 0 || destination > place) {
    faults.push(
      "permit_auth_destination does not stand before it; without that a broken table would stop incoming mail too",
    );
  }
  return faults;
}

/**
 * Gives the restrictions with the table where it must stand: before whatever ends relaying, with all that has to stand before it.
 * What is right already comes back as it was.
 */
export function withTable(restrictions: string, table: string): string {
  if (faultsOfPlace(restrictions, table).length === 0) return restrictions;
  const words = wordsOf(restrictions);
  for (let place = placeOf(words, table); place >= 0; place = placeOf(words, table)) {
    words.splice(place, 2);
  }
  const last = words.findIndex((word) => walls.has(word));
  const [before, behind] =
    last < 0 ? [words, ["reject_unauth_destination"]] : [words.slice(0, last), words.slice(last)];
  const destination = before.includes("permit_auth_destination") ? [] : ["permit_auth_destination"];
  // An argument of a restriction is a word like any other: the list is written as Postfix reads it.
  return joined([...before, ...destination, "check_client_access", table, ...behind]);
}

/** A restriction and its argument stand together, without a comma. */
function joined(words: readonly string[]): string {
  return words
    .map((word, index) => {
      const isLast = index === words.length - 1;
      const hasArgument =
        /^check_.*_(?:access|service)$|^(?:permit|reject)_(?:rbl|rhsbl|dnswl|rhswl)_/.test(word);
      return isLast ? word : hasArgument ? `${word} ` : `${word}, `;
    })
    .join("");
}

/** Whether a restriction list refuses relaying by itself, so that the table must stand in it as well. */
export function refusesRelaying(restrictions: string): boolean {
  return wordsOf(restrictions).some((word) => walls.has(word) && word !== "permit");
}

/** Whether the list asks the table at all. */
export function asks(restrictions: string, table: string): boolean {
  return placeOf(wordsOf(restrictions), table) >= 0;
}

/** What becomes of a client at one restriction: it may relay, it may not, or the next one is asked. */
export interface Step {
  readonly restriction: string;
  readonly says: string;
  readonly ends?: "permitted" | "refused";
}

/**
 * Walks one client, who has not logged in by SMTP AUTH and writes to a foreign domain, through a list of restrictions, up to the
 * one that ends it. `isOwn` says whether it is in mynetworks, undefined if that cannot be told; `answer` is what the table
 * says of it, undefined if nothing.
 */
export function walk(
  restrictions: string,
  table: string,
  { isOwn, answer }: { readonly isOwn: boolean | undefined; readonly answer: string | undefined },
): readonly Step[] {
  const words = wordsOf(restrictions);
  const steps: Step[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const isTable = /^check_\w+_access$/.test(word);
    const operand = isTable ? (words[++index] ?? "") : "";
    const restriction = isTable ? `${word} ${operand}` : word;
    const isOurs = isTable && index - 1 === placeOf(words, table);
    const step = isOurs ? tableStep(answer) : plainStep(word, isOwn);
    steps.push({ restriction, ...step });
    if (step.ends !== undefined) break;
  }
  return steps;
}

function tableStep(answer: string | undefined): Omit<Step, "restriction"> {
  if (answer === undefined) return { says: "does not know it" };
  return answer === "OK" ? { says: "OK", ends: "permitted" } : { says: answer };
}

function plainStep(word: string, isOwn: boolean | undefined): Omit<Step, "restriction"> {
  switch (word) {
    case "permit_mynetworks":
      if (isOwn === true) return { says: "it is in mynetworks", ends: "permitted" };
      return { says: isOwn === false ? "not in mynetworks" : "mynetworks has more than networks" };
    case "permit_sasl_authenticated":
      return { says: "permits who logs in by SMTP AUTH" };
    case "permit_auth_destination":
      return { says: "permits mail to this host's own domains" };
    case "permit":
      return { says: "permits everybody", ends: "permitted" };
    default:
      return walls.has(word)
        ? { says: "refuses to relay", ends: "refused" }
        : { says: "not judged here" };
  }
}

function wordsOf(restrictions: string): string[] {
  return restrictions.split(/[\s,{}]+/).filter((word) => word !== "");
}

function placeOf(words: readonly string[], table: string): number {
  return words.findIndex(
    (word, index) =>
      word === "check_client_access" &&
      (words[index + 1] === table || words[index + 1] === `proxy:${table}`),
  );
}
