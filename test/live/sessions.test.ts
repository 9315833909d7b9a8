/** popgate publishes without a pause, and no session at a real MTA gets a wrong answer. `npm run soak` does it at length. */

import { describe, expect, it } from "vitest";
import { lacks } from "../lab/needs.ts";
import { doorsHere, sessions } from "./sessions.ts";

const seconds = 4;

describe.skipIf(lacks("root", "postfix"))("while 1,000 grants come and go", () => {
  it("who is in relays every time, and who is not never does", async () => {
    const outcomes = await sessions({ doors: doorsHere(), size: 1000, ttl: 8000, seconds });
    for (const { door, versions, sessions: held, longest } of outcomes)
      console.log(`${door}: ${held} sessions, ${versions} versions, ${longest.toFixed(0)} ms`);
    expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual([]);
    for (const { versions, sessions: held } of outcomes) {
      // In a table that stands still there is nothing to prove.
      expect(versions).toBeGreaterThanOrEqual(seconds / 2);
      expect(held).toBeGreaterThan(4 * seconds);
    }
  });
});
