import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const shared = { testTimeout: 1_200_000, hookTimeout: 60_000 };
const file = (name: string): string => `test/long/${name}.test.ts`;

/** Tests that take minutes: `npm run test:long`. Those that measure time follow, with the machine for themselves. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        resolve: base.resolve ?? {},
        test: {
          ...shared,
          name: "side by side",
          include: ["test/long/**/*.test.ts"],
          exclude: [file("overload"), file("rolling-restart")],
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: base.resolve ?? {},
        test: {
          ...shared,
          name: "alone",
          include: [file("overload"), file("rolling-restart")],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
