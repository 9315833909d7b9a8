/** How the tests are run: `unit` everywhere, with coverage; `live` with the real daemons, one after the other. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/*.test.ts", "test/{sources,adapters,grants,maps,commands}/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "live",
          include: ["test/live/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      reporter: ["text-summary"],
      thresholds: { lines: 90, branches: 90 },
    },
  },
});
