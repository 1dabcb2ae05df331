import { onTestFinished } from "vitest";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createTestDirectory } from "./test-directory.ts";
import { startBefore } from "./gateway.ts";
import { testSchema } from "./schema.ts";

/** Releases of which each has another shape of connections or sources. */
export const SHAPES: readonly SandboxRelease[] = ["2024.2", "2024.8", "2025.4", "2025.12"];

export type SandboxGateway = Awaited<ReturnType<typeof startSandboxGateway>>;

/** A gateway before an authentik with a small directory. */
export async function startSandboxGateway(
  release: SandboxRelease,
  {
    viewers = 0,
    maxScannedRows = 1_000,
    maxPageSize = 100,
    mutations = false,
    cacheTtlMs = 0,
    operationTimeoutMs = 10_000,
  } = {},
) {
  const directory = createTestDirectory({ viewers });
  const before = await startBefore(
    { sandbox: { release, directory } },
    {
      gateway: { maxScannedRows, maxPageSize, operationTimeoutMs },
      authentik: { cacheTtlMs },
      schema: testSchema({ mutations }),
    },
  );
  return {
    directory,
    ...before,
    /** Asks as a user by name; null: without credentials. */
    ask: async (user: string | null, query: string, variables: Record<string, unknown> = {}) => {
      before.authentik.requests.length = 0;
      const authorization = user === null ? null : `Bearer token-of-${user}`;
      const reply = await before.gateway.post(query, { authorization, variables });
      const { data = null, errors = [], text } = reply;
      if (text.includes("canary")) throw new Error("a secret was answered");
      return {
        data,
        /** Path and code of each. */
        errors: errors.map(({ path, extensions }) => `${path?.join(".") ?? ""} ${extensions.code}`),
        /** Paths below `/api/v3`, in order. */
        calls: before.authentik.paths().map((path) => path.replace("/api/v3", "")),
      };
    },
  };
}

/** The same for the test that is running. */
export async function sandboxGatewayForTest(
  ...given: Parameters<typeof startSandboxGateway>
): Promise<SandboxGateway> {
  const at = await startSandboxGateway(...given);
  onTestFinished(at.close);
  return at;
}
