/** Much work in short steps, so that others have their turn in between. */
import { setImmediate } from "node:timers/promises";

/** Grants in one step: some milliseconds' worth. */
const step = 500;

/** Gives all in their order, and others their turn after each few hundred. */
export async function* inSteps<Item>(all: readonly Item[]): AsyncGenerator<Item> {
  for (const [at, item] of all.entries()) {
    if (at % step === step - 1) await setImmediate();
    yield item;
  }
}
