/** Which keys an index is asked for. */
import { array, assert, constantFrom, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { createMap } from "../../src/maps/index.ts";
import { holds, sampleOf } from "../../src/maps/probe.ts";
import type { Outcome } from "../../src/run.ts";
import { client } from "./clients.ts";

const map = createMap({ mta: "postfix", table: "lmdb:/x/relay" });

function rendered(numbers: readonly number[]): string[] {
  return [...map.render(numbers.map((n) => client(`10.0.${String(n >> 8)}.${String(n & 255)}`)))];
}

function keysOf(text: readonly string[]): string[] {
  const lines = text.join("").split("\n").slice(0, -1);
  return lines.filter((line) => !line.startsWith("#")).map((line) => line.split("\t")[0] ?? "");
}

describe("a sample", () => {
  test("of any change: what is held is held, what is gone is gone, and a change never goes unseen", () => {
    const some = array(integer({ min: 0, max: 300 }), { maxLength: 60 });
    assert(
      property(some, some, constantFrom(1, 3, 4096), (now, before, size) => {
        const whole = rendered(now);
        // In pieces of any size, as a large map comes.
        const text = whole.flatMap((piece) => {
          const lines = piece.split(/(?<=\n)/);
          return Array.from({ length: Math.ceil(lines.length / size) }, (_, at) =>
            lines.slice(at * size, (at + 1) * size).join(""),
          );
        });
        const [keys, former] = [keysOf(whole), keysOf(rendered(before))];
        const { held, gone } = sampleOf(text, rendered(before).join(""));
        expect(keys).toEqual(expect.arrayContaining([...held]));
        for (const key of gone) {
          expect(former).toContain(key);
          expect(keys).not.toContain(key);
        }
        const last = keys.at(-1);
        if (last !== undefined) expect(held).toContain(last);
        if (size < 4096) return;
        const isNew = keys.some((key) => !former.includes(key));
        const isGone = former.some((key) => !keys.includes(key));
        if (isGone) expect(gone).not.toEqual([]);
        if (isNew) expect(held.some((key) => !former.includes(key))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("is small, however large the map", () => {
    const numbers = Array.from({ length: 60_000 }, (_, n) => n);
    const { held, gone } = sampleOf(
      rendered(numbers),
      rendered(numbers.map((n) => n + 5000)).join(""),
    );
    expect(held.length).toBeGreaterThan(8);
    expect(held.length + gone.length).toBeLessThan(30);
  });

  test("of the header of another version names no key", () => {
    const before = "# popgate writes this file, it said once\n10.0.0.1\tOK\n";
    expect(sampleOf(rendered([1]), before).gone).toEqual([]);
    expect(sampleOf(rendered([]), "").held).toEqual([]);
  });
});

describe("an answer", () => {
  const index = map.index?.("/x/relay");
  const answered = (outcome: Partial<Outcome>) => {
    const whole = { ok: true, missing: false, stdout: "", stderr: "", reason: "", ...outcome };
    if (index === undefined) throw new Error("no index");
    const sample = { held: ["10.0.0.1"], gone: ["10.0.0.2"] };
    return [sample, { ...sample, held: [] }].map((one) =>
      holds(index, one, () => Promise.resolve(whole), 1000),
    );
  };

  test.each<[string, Partial<Outcome>, boolean, boolean]>([
    ["names what is held", { stdout: "10.0.0.1\tOK\n" }, true, true],
    ["names what should be gone", { stdout: "10.0.0.1\tOK\n10.0.0.2\tOK\n" }, false, false],
    ["is that there is nothing", { ok: false, reason: "exit status 1" }, false, true],
    [
      "is an error that looks like nothing",
      { ok: false, reason: "exit status 1: x", stderr: "postmap: fatal: open x: No such file" },
      false,
      false,
    ],
    ["does not come", { ok: false, reason: "took longer than 30 s and was killed" }, false, false],
  ])("that %s", async (_, outcome, held, none) => {
    expect(await Promise.all(answered(outcome))).toEqual([held, none]);
  });
});
