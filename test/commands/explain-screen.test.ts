/** What explain shows fits the screen, whatever it has to say. */
import { expect, test } from "vitest";
import { explanationScreen } from "../../src/commands/explain-screen.ts";
import type { Explained } from "../../src/commands/explain.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const client = "2001:db8:7:8:aaaa:bbbb:cccc:1";
const grant = {
  client,
  user: "fred@subsidiary.example.org",
  service: "imap",
  adapter: "dovecot",
  granted: "2026-11-24T11:50:00.000Z",
  renewed: "2026-11-24T11:55:00.000Z",
  expires: "2026-11-24T12:25:00.000Z",
};
const none = { running: true, revocations: [], refusals: [], maps: [] };

test.each<[what: string, explained: Explained, beginning: string]>([
  [
    "a neighbour",
    { ...none, client: "2001:db8:7:8::99", granted: false, neighbour: grant },
    `2001:db8:7:8::99 is granted as a neighbour of ${client}\n  (fred@subsidiary.example.org), until 2026-11-24T12:25:00Z\n  network   its`,
  ],
  [
    "a long address",
    { ...none, client, granted: true, grant },
    `${client} is granted until 2026-11-24T12:25:00Z, for 25m00s\n  more\n  login     fred@`,
  ],
  [
    "one that is withdrawn",
    { ...none, client, granted: true, grant, withdrawn: true },
    `${client} is granted until 2026-11-24T12:25:00Z, for 25m00s\n  more; withdrawn, popgate lets nobody relay until it is reloaded or restarted\n`,
  ],
])("%s, on eighty columns", (_, explained, beginning) => {
  const screen = explanationScreen(explained, now, 80);
  expect(screen.slice(0, beginning.length)).toBe(beginning);
  expect(screen.split("\n").filter(({ length }) => length > 80)).toEqual([]);
});
