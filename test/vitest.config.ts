/** How the tests are run: `unit` everywhere, with coverage; `live` and then `alone` with the real daemons. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** They look at all processes of the host, and must not see the daemons of others. */
const alone = ["setup", "init"].map((name) => `test/live/${name}.test.ts`);

const patience = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "test/*.test.ts",
            "test/{sources,adapters,grants,maps,control,commands,audit}/**/*.test.ts",
          ],
          // By itself it would leave one core to nobody.
          maxWorkers: "100%",
        },
      },
      {
        extends: true,
        test: {
          name: "live",
          include: ["test/live/*.test.ts"],
          exclude: alone,
          // They mostly wait: for a grant to end, for a daemon to start.
          maxWorkers: 3,
          ...patience,
        },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, fileParallelism: false, ...patience },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      // main.ts is the process itself, which the live tests run; the others hold types alone.
      exclude: [
        "src/main.ts",
        "src/model.ts",
        "src/facts.ts",
        "src/audit-event.ts",
        "src/signals.ts",
        "src/maps/map.ts",
        "src/sources/source.ts",
        "src/commands/command.ts",
        "src/control/control.ts",
      ],
      reporter: ["text-summary"],
      thresholds: { lines: 95, branches: 88 },
    },
  },
});
