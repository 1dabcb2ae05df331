import { createRequire } from "node:module";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    // Vite would load graphql's index.mjs for our source while libraries load index.js: two realms in tests only. Tests
    // with packages of their own take this one as well.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve("graphql/index.js") }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/long/**", "test/federation/**", "test/clients/**", "**/node_modules/**"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
