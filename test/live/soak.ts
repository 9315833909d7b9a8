/** One campaign of `npm run soak`: `kills SEED COUNT SIZE` or `sessions SECONDS SIZE TTL DOOR`; it prints a line of JSON. */

import { kills } from "./kills.ts";
import { type Door, doorsHere, sessions } from "./sessions.ts";

const [campaign, ...given] = process.argv.slice(2);
const [first = NaN, second = NaN, third = NaN] = given.map(Number);

try {
  console.log(JSON.stringify(await outcome()));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function outcome(): Promise<unknown> {
  switch (campaign) {
    case "doors":
      return doorsHere();
    case "kills":
      return kills({ seed: first, kills: second, size: third });
    case "sessions": {
      const door = given[3] as Door;
      return sessions({ doors: [door], seconds: first, size: second, ttl: third });
    }
    default:
      throw new Error(`no campaign ${campaign}`);
  }
}
