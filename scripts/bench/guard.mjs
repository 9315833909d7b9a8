/** What the guard costs: a login in time, and a live grant in memory. */

import { fileURLToPath } from "node:url";
import { measured } from "./child.mjs";
import { aim, printTable } from "./table.mjs";

const aims = { micros: 2, bytes: 400 };
const guarding = fileURLToPath(new URL("guarding.mjs", import.meta.url));

/** Prints the figures; resolves to true, since no counts can be wrong. */
export async function measureGuard() {
  const { printed } = await measured([process.execPath, "--expose-gc", guarding]);
  const { memory, ...rest } = JSON.parse(printed);
  const micros = (ns) => (ns / 1000).toFixed(2);
  const row = (name, { alone, least, lists }) => [
    `  ${name}`,
    micros(alone),
    micros(least - alone),
    micros(lists - alone),
    aim(`${aims.micros} us`, Math.max(least, lists) - alone < aims.micros * 1000),
  ];
  printTable(
    ["a login, in us", "its grant", "+ the guard", "+ with long lists", "aim"],
    [
      row("renews", rest.known),
      row("of four users of a client", rest.shared),
      row("is refused", rest.strangers),
    ],
  );
  printTable(
    ["100,000 live grants", "bytes each", "aim"],
    [["  heap", memory.toFixed(0), aim(`${aims.bytes}`, memory <= aims.bytes)]],
  );
  return true;
}
