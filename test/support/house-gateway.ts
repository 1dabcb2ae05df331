import { type FakeAuthentik, startFakeAuthentik } from "./fake-authentik.ts";
import { household } from "./fake-household.ts";
import { type GraphQLReply, startGateway, type TestGateway } from "./gateway.ts";
import type { Directory } from "../../src/sandbox/directory.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { testSchema } from "./schema.ts";

/** Releases of which each has another shape of connections or sources. */
export const SHAPES: readonly SandboxRelease[] = ["2024.2", "2024.8", "2025.4", "2025.12"];

/** A gateway before an authentik with a household in it. */
export interface HouseGateway {
  readonly house: Directory;
  readonly authentik: FakeAuthentik;
  readonly gateway: TestGateway;
  /** Asks as a user by name; null: without credentials. */
  ask(user: string | null, query: string, variables?: Record<string, unknown>): Promise<Asked>;
  close(): Promise<void>;
}

export interface Asked {
  /** Null where there is none. */
  data: NonNullable<GraphQLReply["data"]> | null;
  /** Path and code of each error. */
  errors: string[];
  /** Paths below `/api/v3`, in order. */
  calls: string[];
}

export async function startHouse(
  release: SandboxRelease,
  options: { viewers?: number; maxScannedRows?: number; mutations?: boolean } = {},
): Promise<HouseGateway> {
  const house = household(options);
  const authentik = await startFakeAuthentik({ sandbox: { release, directory: house } });
  const { maxScannedRows = 1_000, mutations = false } = options;
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    gateway: { maxScannedRows },
    schema: testSchema({ mutations }),
  });
  return {
    house,
    authentik,
    gateway,
    async ask(user, query, variables) {
      authentik.requests.length = 0;
      const reply = await gateway.post(query, {
        authorization: user === null ? null : `Bearer token-of-${user}`,
        ...(variables ? { variables } : {}),
      });
      if (reply.text.includes("canary")) throw new Error("a secret was answered");
      return {
        data: reply.data ?? null,
        errors: (reply.errors ?? []).map(
          ({ path, extensions }) => `${path?.join(".") ?? ""} ${extensions.code}`,
        ),
        calls: authentik.paths().map((path) => path.replace("/api/v3", "")),
      };
    },
    async close() {
      await gateway.close();
      await authentik.close();
    },
  };
}
