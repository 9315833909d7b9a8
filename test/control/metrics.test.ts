import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Status } from "../../src/control/control.ts";
import { Metrics } from "../../src/control/metrics.ts";

const status: Status = {
  health: "unhealthy",
  reasons: ["x"],
  popgate: "1.2.3",
  node: "v20.20.2",
  pid: 7,
  started: "2026-11-23T06:00:00.000Z",
  now: "2026-11-23T07:00:00.000Z",
  grants: 3,
  max_grants: 100,
  last_login: "2026-11-23T06:59:00.000Z",
  sources: [
    {
      name: '/var/log/"a\\b\nc".log',
      position: "1",
      lag_bytes: 12,
      lag_seconds: 3,
      lines: 9,
      rotations: 1,
      dropped: { too_long: 1, unterminated: 0, untrusted: 0 },
      gaps: 2,
      trouble: "log missing",
      last_line: "2026-11-23T06:59:30.000Z",
    },
  ],
  maps: [
    {
      table: "lmdb:/relay",
      mta: "postfix",
      configured: true,
      published: "2026-11-23T06:30:00.000Z",
      took_ms: 120,
      publishes: 5,
      failures: 2,
      trouble: { reason: "x", overdue: "2026-11-23T06:58:00.000Z", emptied: false },
    },
  ],
  drift: [{ source: "s", adapter: "dovecot", sign: "near misses", count: 12 }],
  counters: {
    logins: { dovecot: 7, courier: 1 },
    late: 1,
    restored: 3,
    granted: 4,
    renewed: 2,
    expired: 1,
    revoked: 1,
    refused: { never: 2 },
    lines_refused: { malformed: 3 },
    near_misses: { dovecot: 12 },
  },
};

test("every number of the status is there, and a stranger's name stays in its quotes", () => {
  const text = new Metrics().text(status);
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const sample of [
    'popgate_build_info{version="1.2.3",node="v20.20.2"} 1',
    "popgate_healthy 0",
    "popgate_live_grants 3",
    'popgate_logins_total{adapter="dovecot"} 7',
    'popgate_refusals_total{reason="never"} 2',
    'popgate_lines_refused_total{reason="malformed"} 3',
    'popgate_near_misses_total{adapter="dovecot"} 12',
    'popgate_source_lag_seconds{source="/var/log/\\"a\\\\b\\nc\\".log"} 3',
    'popgate_source_dropped_total{source="/var/log/\\"a\\\\b\\nc\\".log",reason="too_long"} 1',
    'popgate_map_publish_seconds{table="lmdb:/relay"} 0.12',
    'popgate_map_failing{table="lmdb:/relay"} 1',
    'popgate_map_overdue_seconds{table="lmdb:/relay"} 120',
    'popgate_drifting{source="s",adapter="dovecot"} 1',
    "popgate_publish_latency_seconds_count 0",
  ]) {
    expect(samples).toContain(sample);
  }
  for (const sample of samples) {
    expect(sample).toMatch(/^popgate_[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\})? [\d.e+]+$/);
  }
});

test("what is no longer there is told no more, and a latency is", () => {
  const metrics = new Metrics();
  metrics.text(status);
  metrics.published(30);
  metrics.published(700);
  const text = metrics.text({ ...status, sources: [], maps: [], drift: [] });
  expect(text).not.toMatch(/\{(?:source|table)=/);
  expect(text).toMatch(/^popgate_publish_latency_seconds_bucket\{le="0.05"\} 1$/m);
  expect(text).toMatch(/^popgate_publish_latency_seconds_bucket\{le="1"\} 2$/m);
  expect(text).toMatch(/^popgate_publish_latency_seconds_sum 0.73$/m);
});

test.each(["prometheus-rules.yml", "grafana-dashboard.json"])(
  "examples/%s names no metric that there is not",
  (file) => {
    const text = readFileSync(new URL(`../../examples/${file}`, import.meta.url), "utf8");
    const known = new Set(
      [...new Metrics().text(status).matchAll(/^(popgate_[a-z_]+)/gm)].map(([, name]) => name),
    );
    const named = [...text.matchAll(/\b(popgate_[a-z_]+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(known).toContain(name);
  },
);
