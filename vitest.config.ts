import { createRequire } from "node:module";
import { defineConfig } from "vitest/config";

const elsewhere = ["test/long/**", "test/federation/**", "test/clients/**", "**/node_modules/**"];
// These change nothing in the process around them and measure nothing of it, and no module of src/ has state: what they
// import is loaded once for all of them, not once for each.
const together = [
  "test/*.test.ts",
  "test/{authentik,config,entities,fuzz,resources,sandbox,server}/**/*.test.ts",
  "test/graphql/!(document-limits).test.ts",
];

export default defineConfig({
  resolve: {
    // Vite would load graphql's index.mjs for our source while libraries load index.js: two realms in tests only. Tests
    // with packages of their own take this one as well.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve("graphql/index.js") }],
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    // Not that of most machines that test: what is told without its zone must not be taken for local time.
    env: { TZ: "America/New_York" },
    projects: [
      { extends: true, test: { name: "together", isolate: false, include: together, exclude: elsewhere } },
      {
        extends: true,
        test: { name: "apart", include: ["test/**/*.test.ts"], exclude: [...elsewhere, ...together] },
      },
    ],
  },
});
