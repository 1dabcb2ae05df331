import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createDirectory, type Directory } from "./directory.ts";
import { createFaultPicker, deliver, type SandboxFault, SANDBOX_FAULTS } from "./faults.ts";
import { createRelease, type SandboxRelease } from "./releases.ts";
import { encodeResponse } from "./rest-response.ts";
import { handleRequest } from "./routes.ts";

/** What a sandbox may be told. */
export interface SandboxOptions {
  /** The release of authentik that it answers as. @default "2026.8" */
  release?: SandboxRelease;
  /** Milliseconds before every response. @default 0 */
  latencyMs?: number;
  /** Whether responses also take as long as from a small authentik: two workers, dearer the more rows. @default false */
  authentikCost?: boolean;
  /** Fault switches, each with its share of the requests. @default [] */
  faults?: readonly SandboxFault[];
  /** The users, sources and connections that it holds, and changes. @default a new seeded directory */
  directory?: Directory;
  /** Address to listen on. @default "127.0.0.1" */
  host?: string;
  /** Port to listen on; 0 takes a free one. @default 0 */
  port?: number;
}

/** A running stand-in for authentik. */
export type Sandbox = Awaited<ReturnType<typeof createSandbox>>;

/** Bearer tokens worth trying, each with a sentence for people who do. */
const TOKENS = {
  administrator: {
    token: "token-of-administrator",
    meaning: "A superuser: sees every connection, user and source, and may remove connections.",
  },
  owner: {
    token: "token-of-alice",
    meaning: "Alice, who owns the connections 5 and 7: sees those two, herself, and no source.",
  },
  otherOwner: {
    token: "token-of-bob",
    meaning: "Bob, who owns the connection 6: for him the connection 5 does not exist.",
  },
  stranger: {
    token: "token-of-stranger",
    meaning: "Somebody without any connection: sees himself and nothing else.",
  },
  expired: {
    token: "expired-token-of-alice",
    meaning: "A token of Alice that is no longer valid: refused.",
  },
} as const;

/**
 * Starts an HTTP server that answers as an authentik with a small seeded directory does: its shapes, permissions,
 * lists, errors and headers, release by release, on the routes that the gateway asks. Connections can be removed; every
 * other method that writes is refused with 405.
 * @throws {Error} when it cannot listen
 */
export async function createSandbox({
  release: name = "2026.8",
  latencyMs = 0,
  authentikCost = false,
  faults = [],
  directory = createDirectory(),
  host = "127.0.0.1",
  port = 0,
}: SandboxOptions = {}) {
  const release = createRelease(name);
  const occupyWorker = createWorkers();
  const pickFault = createFaultPicker(faults);

  const server = createServer((request, outgoing) => {
    const respond = async (): Promise<void> => {
      const fault = pickFault();
      const { url = "/" } = request;
      const instead = fault && SANDBOX_FAULTS[fault]?.({ url, release });
      // Whoever gets another response than authentik's has not changed anything there.
      const { response, allow, costMs } = instead
        ? { response: instead, allow: null, costMs: 0 }
        : handleRequest(request, { directory, release });
      const ms = latencyMs + (authentikCost ? occupyWorker(costMs) : 0);
      // What waits when the sandbox is closed keeps no process.
      if (ms > 0) await delay(ms, undefined, { ref: false });
      await deliver(encodeResponse(response, { release, allow }), outgoing, fault);
    };
    respond().catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  // authentik's router never ends a connection for being idle or slow.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  server.listen(port, host);
  await once(server, "listening");

  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The sandbox has no port.");
  return {
    /** Where it listens; the API is below `/api/v3`. */
    url: new URL(`http://${host.includes(":") ? `[${host}]` : host}:${address.port}/`),
    release: name,
    tokens: TOKENS,
    /** Stops listening and cuts what is in flight; once closed it stays so. */
    async close(): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * authentik's two workers, who serve first come, first served: a request that finds both busy waits for them too.
 * @returns in how many milliseconds a request that takes one of them for `costMs` is done
 */
function createWorkers(): (costMs: number) => number {
  const freeAt = [0, 0];
  return (costMs) => {
    const now = performance.now();
    const soonest = Math.min(...freeAt);
    const end = Math.max(now, soonest) + costMs;
    freeAt[freeAt.indexOf(soonest)] = end;
    return end - now;
  };
}
