/** popgate and its map tools are killed at random moments. `npm run soak` does it at length; POPGATE_KILLS=SEED[,COUNT[,SIZE]] again. */

import { describe, expect, it } from "vitest";
import { lacks } from "../lab/needs.ts";
import { kills } from "./kills.ts";

const [given = NaN, count = 20, size = 1000] = (process.env["POPGATE_KILLS"] ?? "")
  .split(",")
  .map(Number);
const seed = given > 0 ? given : 1 + Math.floor(Math.random() * 1e9);

describe.skipIf(lacks("root", "postfix"))("under load", () => {
  it(`${count} kills from seed ${seed}`, { timeout: 120_000 + 30_000 * count }, async () => {
    console.log(`the kills have seed ${seed}`);
    const { hit, strays, longest } = await kills({ seed, kills: count, size });
    console.log(`${JSON.stringify(hit)}, ${strays} strays, well after ${longest.toFixed(0)} ms`);
    if (count < 20) return;
    expect(hit.popgate).toBeGreaterThan(0);
    expect(hit.tool).toBeGreaterThan(0);
  });
});
