import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = new URL("../../", import.meta.url);

export default defineConfig({
  root: fileURLToPath(root),
  resolve: {
    // One graphql for our source and this folder's tests: the root's, and the file of it that libraries load.
    alias: [
      {
        find: /^graphql$/,
        replacement: createRequire(new URL("package.json", root)).resolve("graphql/index.js"),
      },
    ],
  },
  test: {
    include: ["test/clients/*.test.ts"],
    // Each starts programs, and a busy machine takes its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
