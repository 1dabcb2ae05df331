import { defineConfig, mergeConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests that take minutes or need the machine for themselves: `npm run test:long`. */
export default mergeConfig(
  { resolve: base.resolve },
  defineConfig({
    test: {
      include: ["test/long/**/*.test.ts"],
      testTimeout: 1_200_000,
      hookTimeout: 60_000,
      fileParallelism: false,
    },
  }),
);
