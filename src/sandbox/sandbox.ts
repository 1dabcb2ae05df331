import { once } from "node:events";
import { createServer } from "node:http";
import { deliver } from "./deliver.ts";
import { createDirectory } from "./directory.ts";
import type { SandboxFault } from "./faults.ts";
import { createFaultPicker } from "./faults.ts";
import { handleRequest } from "./handle.ts";
import { createPace } from "./pacing.ts";
import type { SandboxRelease } from "./releases.ts";
import { traitsOf } from "./releases.ts";
import { writeAnswer } from "./respond.ts";
import type { SandboxToken } from "./tokens.ts";
import { SANDBOX_TOKENS } from "./tokens.ts";

/** What a sandbox may be told. */
export interface SandboxOptions {
  /** The release of authentik whose answers it gives. @default "2026.8" */
  release?: SandboxRelease;
  /** Milliseconds before every answer. @default 0 */
  latencyMs?: number;
  /** Whether answers also take as long as from a small authentik: two workers, dearer the more rows. @default false */
  authentikCost?: boolean;
  /** Fault switches; the first that hits a request decides. @default [] */
  faults?: readonly SandboxFault[];
  /** The same seed lets the same requests fail. @default 1 */
  seed?: number;
  /** Address to listen on. @default "127.0.0.1" */
  host?: string;
  /** Port to listen on; 0 takes a free one. @default 0 */
  port?: number;
}

/** A running stand-in for authentik. */
export interface Sandbox {
  /** Where it listens; the API is below `/api/v3`. */
  readonly url: URL;
  readonly release: SandboxRelease;
  /** Tokens worth trying, each with what it shows. */
  readonly tokens: Readonly<Record<keyof typeof SANDBOX_TOKENS, SandboxToken>>;
  /** Stops listening and cuts what is in flight; once closed it stays so. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server that answers as an authentik with a small seeded directory does: its shapes, permissions,
 * lists, errors and headers, release by release. It only reads: writing methods are refused with 405.
 * @throws {Error} when it cannot listen
 */
export async function createSandbox({
  release = "2026.8",
  latencyMs = 0,
  authentikCost = false,
  faults = [],
  seed = 1,
  host = "127.0.0.1",
  port = 0,
}: SandboxOptions = {}): Promise<Sandbox> {
  const traits = traitsOf(release);
  const directory = createDirectory();
  const closing = new AbortController();
  const { signal } = closing;
  const pace = createPace({ latencyMs, authentikCost }, { signal });
  const pickFault = createFaultPicker(faults, { seed });

  const server = createServer((request, outgoing) => {
    const respond = async (): Promise<void> => {
      const { accept, "accept-language": acceptLanguage } = request.headers;
      const fault = pickFault();
      const handled = handleRequest(request, { directory, traits });
      const answer = fault?.answer?.({ accept, url: request.url ?? "/", traits }) ?? handled.answer;
      await pace(answer.rows);
      const written = writeAnswer(answer, { traits, allow: handled.allow, acceptLanguage });
      await deliver(written, outgoing, { delivery: fault?.delivery ?? "whole", signal });
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
    url: new URL(`http://${host.includes(":") ? `[${host}]` : host}:${address.port}/`),
    release,
    tokens: SANDBOX_TOKENS,
    close: async () => {
      closing.abort();
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
