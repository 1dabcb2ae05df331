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
  /** Whether the process is about to end, and hence not ready. */
  isDraining: () => boolean;
  /** Called when authentik's state was found to have changed, with the words for an operator. */
  onChange: (probe: Probe) => void;
}

/** Liveness and readiness of the process; nothing is asked until somebody wants to know. */
export function createHealth(options: HealthOptions) {
  const { probe, authentikState, sandbox, readiness, cacheMs, isDraining, onChange } = options;
  let known: { probe: Probe; atMs: number } | undefined;
  let asking: Promise<Probe> | undefined;

  const ask = (): Promise<Probe> => {
    const asked = probe().then((found) => {
      // Somebody has asked anew meanwhile, and that answer counts; or the gateway itself has ended the probe.
      if (asking !== asked || isDraining()) return found;
      const before = known?.probe;
      known = { probe: found, atMs: performance.now() };
      asking = undefined;
      if (before?.problem !== found.problem) onChange(found);
      return found;
    });
    asking = asked;
    return asked;
  };
  const check = ({ anew = false }: { anew?: boolean } = {}): Promise<Probe> => {
    if (anew) return ask();
    if (known !== undefined && performance.now() - known.atMs < cacheMs) return Promise.resolve(known.probe);
    return asking ?? ask();
  };
  const ready = async (response: ServerResponse): Promise<void> => {
    if (isDraining()) {
      respond(response, 503, { status: "draining" });
      return;
    }
    const { ok, refusesToken } = await check();
    const { breaker } = authentikState();
    const authentik = refusesToken ? "refuses-token" : !ok ? "unreachable" : sandbox ? "sandbox" : "ok";
    const isReady = ok || readiness === "gateway";
    respond(response, isReady ? 200 : 503, { status: isReady ? "ready" : "not-ready", authentik, breaker });
  };

  return {
    /** `/healthz`: this process answers. Never asks authentik, so that no outage of it restarts the gateway. */
    live: (_request: IncomingMessage, response: ServerResponse) => respond(response, 200, { status: "ok" }),
    /** `/readyz`: requests may be sent here. Says in words of ours what is not well, never what authentik said. */
    ready: (_request: IncomingMessage, response: ServerResponse) => void ready(response),
    /** What the last probe found; null before the first has ended. */
    lastProbe: () => known?.probe ?? null,
    /** Asks authentik, unless a fresh result is known or on its way; `anew`: now, as what was known is outdated. */
    check,
  };
}

function respond(response: ServerResponse, status: number, body: Record<string, string>): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(text);
}
