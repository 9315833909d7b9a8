import { expect, test } from "vitest";
import { Reloads } from "../src/reloads.ts";
import { settled } from "./manual-clock.ts";

function setup(start: Promise<void> = Promise.resolve()) {
  const began: number[] = [];
  const refused: unknown[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const work = (withdrawals: number) =>
    new Promise<void>((resolve, reject) => {
      began.push(withdrawals);
      ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  const reloads = new Reloads(start, work, (error) => void refused.push(error));
  return { began, refused, ends, reloads };
}

test("one runs and one waits, for all who ask meanwhile, with the latest count of withdrawals", async () => {
  const { began, ends, reloads } = setup();
  const first = reloads.ask(0);
  await settled();
  const rest = Array.from({ length: 1000 }, (_, n) => reloads.ask(n));
  await settled();
  expect(began).toEqual([0]);
  ends[0]?.();
  await first;
  await settled();
  expect(began).toEqual([0, 999]);
  const next = reloads.ask(1000);
  ends[1]?.();
  await Promise.all(rest);
  await settled();
  ends[2]?.();
  await next;
  expect(began).toEqual([0, 999, 1000]);
});

test("one that is refused is told once, to all who asked, and keeps none from following", async () => {
  const { ends, refused, reloads } = setup();
  const two = [reloads.ask(0), reloads.ask(0)];
  await settled();
  ends[0]?.(new Error("no"));
  for (const one of two) await expect(one).rejects.toThrow("no");
  expect(refused).toHaveLength(1);
  const next = reloads.ask(0);
  await settled();
  ends[1]?.();
  await next;
});

test("none begins before the start has ended", async () => {
  let go = () => {};
  const { began, reloads } = setup(new Promise((resolve) => (go = resolve)));
  void reloads.ask(0);
  await settled();
  expect(began).toEqual([]);
  go();
  await settled();
  expect(began).toEqual([0]);
});
