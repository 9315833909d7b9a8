import fc from "fast-check";
import { expect, test } from "vitest";
import { createLog } from "../src/log.ts";
import { ManualClock } from "./manual-clock.ts";

function told(json: boolean): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return { lines, log: createLog(new ManualClock(), (line) => lines.push(line), json) };
}

test.each([
  [
    { client: "192.0.2.7", user: "ann@example.org" },
    "granted client=192.0.2.7 user=ann@example.org\n",
  ],
  [{ user: "a b" }, 'granted user="a b"\n'],
  [{ user: "jürgen" }, 'granted user="jürgen"\n'],
  [{ user: 'x" client="6.6.6.6' }, 'granted user="x\\" client=\\"6.6.6.6"\n'],
  [{ user: "a\nb" }, 'granted user="a\\nb"\n'],
  [{ user: "a\u001b[31mb" }, 'granted user="a\\u001b[31mb"\n'],
  [{ user: "a\u2028b\u202eb" }, 'granted user="a\\u{2028}b\\u{202e}b"\n'],
  [{ user: "\u{1f4ec}" }, 'granted user="\u{1f4ec}"\n'],
  [{ user: "" }, 'granted user=""\n'],
  [{ user: undefined, n: 3 }, "granted n=3\n"],
])("fields %j", (fields, line) => {
  const { lines, log } = told(false);
  log.info("granted", fields);
  expect(lines).toEqual([line]);
});

test("levels, and JSON with its time", () => {
  const plain = told(false);
  plain.log.warning("log missing");
  plain.log.error("disk full");
  expect(plain.lines).toEqual(["warning: log missing\n", "error: disk full\n"]);
  const json = told(true);
  json.log.info("ready", { grants: 2 });
  expect(json.lines.map((line): unknown => JSON.parse(line))).toEqual([
    { at: "2026-11-23T06:00:00.000Z", level: "info", event: "ready", grants: 2 },
  ]);
});

test("whatever a value is, it stays one line and reaches no terminal raw", () => {
  const { lines, log } = told(false);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (user) => {
      lines.length = 0;
      log.info("granted", { user });
      expect(lines.join("").slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});
