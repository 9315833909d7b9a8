import { expect, test } from "vitest";
import type { MapStatus, SourceStatus } from "../../src/control/control.ts";
import { healthOf } from "../../src/control/health.ts";

const source: SourceStatus = {
  name: "mail.log",
  position: "12",
  lag_seconds: 0,
  lines: 1,
  rotations: 0,
  dropped: { too_long: 0, unterminated: 0, untrusted: 0 },
  gaps: 0,
};
const map: MapStatus = {
  table: "lmdb:/relay",
  mta: "postfix",
  configured: true,
  publishes: 1,
  failures: 0,
};
const well = {
  ready: true,
  withdrawn: false,
  sources: [source],
  maps: [map],
  drift: [],
  unwritable: [],
};
const trouble = { reason: "map lmdb:/relay: no space", since: "T1", emptied: false };

test.each([
  ["all is well", {}, "healthy", []],
  ["it starts", { ready: false }, "starting", [/still read/]],
  [
    "a table cannot be written",
    { unwritable: ["map a: foreign"] },
    "unhealthy",
    [/^map a: foreign$/],
  ],
  [
    "the audit cannot be written",
    { audit: "audit /a: not written" },
    "unhealthy",
    [/^audit \/a: not written$/],
  ],
  ["it was withdrawn", { withdrawn: true }, "withdrawn", [/stay empty/]],
  ["a source lags a little", { sources: [{ ...source, lag_seconds: 9 }] }, "healthy", []],
  [
    "a source lags",
    { sources: [{ ...source, lag_seconds: 10 }] },
    "unhealthy",
    [/^source mail.log: .* 10 s$/],
  ],
  [
    "a source is gone",
    { sources: [{ ...source, trouble: "log missing" }] },
    "unhealthy",
    [/^source mail.log: log missing$/],
  ],
  [
    "a map fails",
    { maps: [{ ...map, trouble }] },
    "unhealthy",
    [/^map lmdb:\/relay: not written since T1: no space$/],
  ],
  [
    "a map fails and holds the expired",
    { maps: [{ ...map, trouble: { ...trouble, overdue: "T2" } }] },
    "unhealthy",
    [/not written/, /time is over, since T2$/],
  ],
  [
    "a map was emptied",
    { maps: [{ ...map, trouble: { ...trouble, emptied: true } }] },
    "unhealthy",
    [/not written/, /nobody may relay/],
  ],
  [
    "a map is hard-linked",
    { maps: [{ ...map, unseen: "hard-linked" }] },
    "unhealthy",
    [/hard-linked/],
  ],
  [
    "an orphan is not empty",
    { maps: [{ ...map, configured: false }] },
    "unhealthy",
    [/no longer configured/],
  ],
  [
    "a daemon drifts",
    { drift: [{ source: "mail.log", adapter: "dovecot", sign: "near misses", count: 12 }] },
    "unhealthy",
    [/^dovecot in mail.log: 12 near misses/],
  ],
  [
    "it starts and fails",
    { ready: false, maps: [{ ...map, trouble }] },
    "unhealthy",
    [/not written/],
  ],
] as const)("%s", (_, change, health, reasons) => {
  const found = healthOf({ ...well, ...change });
  expect(found.health).toBe(health);
  expect(found.reasons).toHaveLength(reasons.length);
  reasons.forEach((reason, index) => expect(found.reasons[index]).toMatch(reason));
});
