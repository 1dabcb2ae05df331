import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

export default defineConfig({
  root: fileURLToPath(new URL("../../", import.meta.url)),
  resolve: base.resolve ?? {},
  test: {
    include: ["test/federation/*.test.ts"],
    // Several programs start for each of them, and a busy machine takes its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
