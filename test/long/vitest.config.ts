import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/**
 * Tests that take minutes: `npm run test:long`. Some measure time: each has the machine for itself. Those of other folders
 * do more here than elsewhere.
 */
export default defineConfig({
  resolve: base.resolve ?? {},
  test: {
    include: ["test/long/*.test.ts", "test/security/isolation.test.ts", "test/fuzz/fuzz.test.ts"],
    env: { TEST_LONG: "true", FUZZ_MINUTES: process.env["FUZZ_MINUTES"] ?? "1" },
    testTimeout: 1_200_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
