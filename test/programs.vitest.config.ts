import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import base from "../vitest.config.ts";

/** Tests of programs that others wrote, in packages of their own: `npm run test:federation` and `test:clients` choose. */
export default defineConfig({
  root: fileURLToPath(new URL("../", import.meta.url)),
  resolve: base.resolve ?? {},
  test: {
    include: ["test/{clients,federation}/*.test.ts"],
    // Several programs start for each of them, and a busy machine takes its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
