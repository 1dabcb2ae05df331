import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuthentikState } from "../authentik/client.ts";
import type { Probe } from "../authentik/probe.ts";

/** What health tells from. */
export interface HealthOptions {
  /** Asks whether authentik answers. Never throws. */
  probe: () => Promise<Probe>;
  authentikState: () => AuthentikState;
  /** Whether the embedded sandbox stands in for authentik. */
  sandbox: boolean;
  /** `strict`: not ready while authentik is not. `gateway`: readiness is the gateway's own, as no replica is better off. */
  readiness: "gateway" | "strict";
  /** How long a result of the probe is reused. */
  cacheMs: number;
  /** Called when authentik's state was found to have changed, with the words for an operator. */
  onChange: (probe: Probe) => void;
}

/** Liveness and readiness of the process. */
export interface Health {
  /** `/healthz`: this process answers. Never asks authentik, so that no outage of it restarts the gateway. */
  live: (request: IncomingMessage, response: ServerResponse) => void;
  /** `/readyz`: requests may be sent here. Says in words of ours what is not well, never what authentik said. */
  ready: (request: IncomingMessage, response: ServerResponse) => void;
  /** What the last probe found; null before the first has ended. */
  lastProbe: () => Probe | null;
  /** Asks authentik, unless a fresh result is known or on its way; `anew`: now, as what was known is outdated. */
  check: (options?: { anew?: boolean }) => Promise<Probe>;
  /** From now on not ready, and every response is the last one of its connection. */
  startDraining: () => void;
  draining: () => boolean;
}

/** Creates the two checks; nothing is asked until somebody wants to know. */
export function createHealth(options: HealthOptions): Health {
  const { probe, authentikState, sandbox, readiness, cacheMs, onChange } = options;
  let draining = false;
  let known: { probe: Probe; atMs: number } | undefined;
  let asking: Promise<Probe> | undefined;

  const ask = (): Promise<Probe> => {
    const asked = probe().then((found) => {
      // Somebody has asked anew meanwhile: that answer counts.
      if (asking !== asked) return found;
      const before = known?.probe;
      known = { probe: found, atMs: performance.now() };
      asking = undefined;
      if (before?.ok !== found.ok || before.problem !== found.problem) onChange(found);
      return found;
    });
    asking = asked;
    return asked;
  };
  const check: Health["check"] = ({ anew = false } = {}) => {
    if (anew) return ask();
    if (known !== undefined && performance.now() - known.atMs < cacheMs) return Promise.resolve(known.probe);
    return asking ?? ask();
  };
  const answerReady = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (draining) {
      respond(request, response, { status: 503, body: { status: "draining" }, last: true });
      return;
    }
    const { ok, refusesToken } = await check();
    const { breaker } = authentikState();
    const authentik = ok ? (sandbox ? "sandbox" : "ok") : refusesToken ? "refuses-token" : "unreachable";
    const isReady = ok || readiness === "gateway";
    const body = { status: isReady ? "ready" : "not-ready", authentik, breaker };
    respond(request, response, { status: isReady ? 200 : 503, body, last: draining });
  };

  return {
    live: (request, response) =>
      respond(request, response, { status: 200, body: { status: "ok" }, last: draining }),
    ready: (request, response) => void answerReady(request, response),
    lastProbe: () => known?.probe ?? null,
    check,
    startDraining: () => (draining = true),
    draining: () => draining,
  };
}

interface HealthResponse {
  status: number;
  body: Record<string, string>;
  /** Whether the connection ends with it. */
  last: boolean;
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, last }: HealthResponse,
): void {
  if (last) response.setHeader("Connection", "close");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD" }).end();
    return;
  }
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(request.method === "HEAD" ? undefined : text);
}
