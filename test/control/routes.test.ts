import fc from "fast-check";
import { expect, test } from "vitest";
import type { Control, Listed, Status } from "../../src/control/control.ts";
import { handleFor, handleMetricsFor } from "../../src/control/routes.ts";
import { exit, KnownError } from "../../src/errors.ts";

const grant: Listed = {
  client: "192.0.2.7",
  user: "ann",
  service: "imap",
  adapter: "dovecot",
  granted: "2026-11-23T06:00:00.000Z",
  expires: "2026-11-23T06:30:00.000Z",
};
let ordered: unknown[] = [];

const control: Control = {
  status: () => ({ health: "healthy" }) as Status,
  grants: () => Array.from({ length: 1200 }, () => grant),
  explain: (client) => ({ client, granted: false, revocations: [], refusals: [] }),
  grant: async (order) => {
    ordered.push(order);
    if (order.client.startsWith("10.")) throw new KnownError("the address is private", exit.no);
    return { ...grant, published: ["/relay"], unpublished: [] };
  },
  revoke: async (order) => {
    ordered.push(order);
    return { ended: 1 };
  },
  withdraw: async (order) => void ordered.push(order),
  metrics: () => "popgate_healthy 1\n",
  reload: async () => {
    throw new KnownError("ttl: is missing", exit.config);
  },
};

const handle = handleFor(control);

async function asked(method: string, path: string, body = "") {
  ordered = [];
  const answer = await handle({ method, path, body });
  const text = typeof answer.body === "string" ? answer.body : [...answer.body].join("");
  return { status: answer.status, text, ordered };
}

const hour = 3_600_000;

test.each([
  ["GET", "/status", "", 200, '{"health":"healthy"}\n', []],
  ["GET", "/metrics", "", 200, "popgate_healthy 1\n", []],
  ["GET", "/explain/192.0.2.7", "", 200, /^\{"client":"192.0.2.7","granted":false/, []],
  ["GET", "/explain/2001%3adb8::7", "", 200, /^\{"client":"2001:db8::7"/, []],
  ["GET", "/explain/%ff", "", 400, /that is no address/, []],
  ["GET", "/explain/", "", 400, /that is no address/, []],
  ["GET", "/explain/192.0.2.7/", "", 400, /that is no address/, []],
  ["GET", "/", "", 404, /there is \/metrics, \/status, \/grants/, []],
  ["GET", "/toString", "", 404, /there is/, []],
  ["DELETE", "/grants", "", 405, /only GET, POST/, []],
  ["toString", "/grants", "", 405, /only GET, POST/, []],
  ["POST", "/reload", "", 422, '{"error":"ttl: is missing"}\n', []],
  ["POST", "/withdrawals", "", 200, "{}\n", [{ forget: false }]],
  ["POST", "/withdrawals", '{"forget":true}', 200, "{}\n", [{ forget: true }]],
  ["POST", "/withdrawals", '{"forget":"yes"}', 400, /forget: .*boolean/, []],
  ["POST", "/withdrawals", "[]", 400, /expected object/, []],
  [
    "POST",
    "/grants",
    '{"client":"::ffff:192.0.2.7","for":"2h","why":"x"}',
    200,
    /^\{"client"/,
    [{ client: "192.0.2.7", for: 2 * hour, why: "x" }],
  ],
  [
    "POST",
    "/grants",
    '{"client":"10.0.0.1","for":"1h"}',
    409,
    /the address is private/,
    [{ client: "10.0.0.1", for: hour, why: "by order" }],
  ],
  ["POST", "/grants", '{"client":"192.0.2.7"}', 400, /for: /, []],
  ["POST", "/grants", '{"client":"192.0.2.0/24","for":"1h"}', 400, /client: is no address/, []],
  ["POST", "/grants", '{"client":"192.0.2.7","for":"31d"}', 400, /for: .*longer than 30d/, []],
  ["POST", "/grants", '{"client":"192.0.2.7","for":"1h","x":1}', 400, /[Uu]nrecognized key/, []],
  ["POST", "/grants", "{", 400, /the body is not JSON/, []],
  [
    "POST",
    "/revocations",
    '{"user":"ann","for":"1d"}',
    200,
    '{"ended":1}\n',
    [{ user: "ann", for: 24 * hour, why: "by order" }],
  ],
  [
    "POST",
    "/revocations",
    '{"client":"192.0.2.7"}',
    200,
    '{"ended":1}\n',
    [{ client: "192.0.2.7", why: "by order" }],
  ],
  ["POST", "/revocations", '{"client":"192.0.2.7","user":"ann"}', 400, /name a client or/, []],
  ["POST", "/revocations", "{}", 400, /name a client or a user/, []],
])("%s %s %s", async (method, path, body, status, text, orders) => {
  const answer = await asked(method, path, body);
  expect(answer).toEqual({
    status,
    text: typeof text === "string" ? text : expect.stringMatching(text),
    ordered: orders,
  });
});

test("where only metrics are to be had, nothing else is", async () => {
  const only = handleMetricsFor(control);
  const statusOf = async (method: string, path: string) =>
    (await only({ method, path, body: '{"client":"192.0.2.7","for":"1h"}' })).status;
  expect(await statusOf("GET", "/metrics")).toBe(200);
  for (const path of ["/status", "/grants", "/explain/192.0.2.7", "/withdrawals", "/reload"]) {
    expect([await statusOf("GET", path), await statusOf("POST", path)]).toEqual([404, 404]);
  }
});

test("the grants come in pieces of whole lines", async () => {
  const { text } = await asked("GET", "/grants");
  const lines = text.trimEnd().split("\n");
  expect(lines).toHaveLength(1200);
  expect(lines.every((line) => line === JSON.stringify(grant))).toBe(true);
});

test("no body makes anything but an answer, nor an order that is not whole", async () => {
  const paths = fc.constantFrom("/grants", "/revocations", "/withdrawals", "/reload", "/explain/x");
  const bodies = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .record(
        {
          client: fc.oneof(fc.constant("192.0.2.7"), fc.ipV4Extended(), fc.ipV6()),
          user: fc.string(),
          for: fc.oneof(fc.constant("1h"), fc.string(), fc.double()),
          why: fc.string(),
          forget: fc.boolean(),
          __proto__: fc.anything(),
        },
        { requiredKeys: [] },
      )
      .map((record) => JSON.stringify(record)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("GET", "POST"), paths, bodies, async (method, path, body) => {
      const { status, ordered } = await asked(method, path, body);
      expect([200, 400, 405, 409, 422]).toContain(status);
      if (status === 200) return;
      expect(ordered.length === 0 || [409, 422].includes(status)).toBe(true);
    }),
  );
});
