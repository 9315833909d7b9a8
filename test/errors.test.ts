import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  codeOf,
  ConfigError,
  exit,
  PublishError,
  reasonOf,
  SourceError,
  UsageError,
} from "../src/errors.ts";
import { readConfig } from "../src/setup.ts";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test.each([
  [thrownBy(() => readFileSync("/nowhere")), "no such file or directory (ENOENT)"],
  [thrownBy(() => readFileSync("/")), "illegal operation on a directory (EISDIR)"],
  [new Error("a", { cause: new Error("b", { cause: "c" }) }), "a: b: c"],
  [Object.assign(new Error("odd"), { code: "EODD", errno: -1 }), "odd (EODD)"],
  ["text", "text"],
  [undefined, "undefined"],
])("%s is told as %s", (thrown, words) => {
  expect(reasonOf(thrown)).toBe(words);
});

test.each([
  [new UsageError("x"), exit.usage],
  [new SourceError("x"), exit.noInput],
  [new PublishError("x"), exit.cannotCreate],
  [new PublishError("x", exit.tempFail), exit.tempFail],
  [new ConfigError(["x", "y"]), exit.config],
])("%s ends with %i", (error, code) => {
  expect(error.exitCode).toBe(code);
});

test("the code of what is no system error", () => {
  expect([codeOf("x"), codeOf(new Error("x"))]).toEqual([undefined, undefined]);
});

test("without any config there is nothing to run", () => {
  expect(() => readConfig({})).toThrow(/there is no \/etc\/popgate\/popgate\.toml; name a config/);
  expect(() => readConfig({ config: "/etc" })).toThrow(/^\/etc: illegal operation on a directory/);
});
